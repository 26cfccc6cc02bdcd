"""A soup: the mean weights of several runs (Wortsman et al., 2022, arXiv 2203.05482, section 2)."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower


def stir_soup(
    new_tower: Callable[[int], "Tower"],
    train: Callable[["Tower", int], None],
    seed: int,
    runs: int,
) -> "Tower":
    """The tower with the mean weights of `runs` runs from the same pretrained layers, all of which
    count (uniform soup).

    The first run has `seed`, each other one the next; `new_tower` makes a tower by its seed,
    `train` trains it in place.
    """
    import torch

    deltas = []
    for own in range(seed, seed + runs):
        tower = new_tower(own)
        train(tower, own)
        deltas.append(tower.delta())
    # Runs from the same pretrained weights end in one valley of the loss, so their mean does too.
    tower.apply_delta({name: torch.stack([d[name] for d in deltas]).mean(0) for name in deltas[0]})
    return tower
