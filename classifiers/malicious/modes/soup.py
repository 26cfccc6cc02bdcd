"""Greedy model soup: the mean of runs that share one start, while validation improves.

Wortsman et al., 2022 (arXiv 2203.05482). Runs from different starts cannot be averaged: their
hidden units are in different orders.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from classifiers.malicious.feature_model import Dense, Member
from guard.terms.errors import ConfigError

Criterion = Callable[[Member], float]
"""What validation says of a member; higher is better (recall at 1 % false positives)."""


@dataclass(frozen=True, slots=True)
class Ingredient:
    """A trained run and the digest of the weights it started from."""

    member: Member
    init: str


@dataclass(frozen=True, slots=True)
class Soup:
    """The averaged member, its score, and which ingredients went in, by their place."""

    member: Member
    score: float
    chosen: tuple[int, ...]


def greedy_soup(ingredients: Sequence[Ingredient], criterion: Criterion) -> Soup:
    """From the best run downwards, take each that strictly improves the mean of those taken.

    ConfigError where the runs did not start from the same weights.
    """
    if not ingredients:
        raise ConfigError("soup: there is no run to start from")
    if len({ingredient.init for ingredient in ingredients}) > 1:
        raise ConfigError("soup: the runs do not share one init, so they cannot be averaged")
    scores = [criterion(ingredient.member) for ingredient in ingredients]
    first, *others = sorted(range(len(scores)), key=lambda place: -scores[place])
    soup = Soup(ingredients[first].member, scores[first], (first,))
    for place in others:
        member = _mean(soup.member, ingredients[place].member, len(soup.chosen))
        score = criterion(member)
        if score > soup.score:
            soup = Soup(member, score, (*soup.chosen, place))
    return soup


def _mean(soup: Member, added: Member, count: int) -> Member:
    return tuple(
        Dense(
            ((count * old.weight + new.weight) / (count + 1)).astype(np.float32),
            ((count * old.bias + new.bias) / (count + 1)).astype(np.float32),
        )
        for old, new in zip(soup, added, strict=True)
    )
