"""A soup: the mean weights of several runs (Wortsman et al., 2022, arXiv 2203.05482, section 2)."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from classifiers.malicious.fine_tuning.optimisation import Optimisation

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower


def stir_soup(
    new_tower: Callable[[int], "Tower"],
    train: Callable[["Tower", Optimisation], None],
    first: Optimisation,
    runs: int,
) -> "Tower":
    """The tower with the mean weights of `runs` runs from the same pretrained layers, all of which
    count (uniform soup).

    The first is optimised as `first` says, each other with the next seed; `new_tower` makes one
    by its seed, `train` trains it in place.
    """
    import torch

    deltas = []
    for seed in range(first.seed, first.seed + runs):
        tower = new_tower(seed)
        train(tower, replace(first, seed=seed))
        deltas.append(tower.delta())
    tower.apply_delta({name: torch.stack([d[name] for d in deltas]).mean(0) for name in deltas[0]})
    return tower
