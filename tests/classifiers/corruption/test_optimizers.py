"""Optimisers: deterministic, and the paper's rule to the letter."""

import pytest

from classifiers.corruption.optimizers import (
    DEFAULT,
    FINITE_DIFFERENCE,
    PAPER,
    FiniteDifference,
    make_optimizer,
)
from classifiers.corruption.paper_settings import paper_grid
from guard.corruption.functions import Corruption
from guard.terms.errors import ConfigError
from tests.classifiers.corruption.rig import SPACE, away

START = Corruption("rand_noise_first_n", 1, 4.0)


def asked(name: str, seed: int) -> list[Corruption]:
    optimizer = make_optimizer(name, SPACE, None, budget=24, workers=2, seed=seed)
    found = []
    for _ in range(12):
        batch = optimizer.ask(2)
        optimizer.tell([away(corruption) for corruption in batch])
        found += batch
    return found


@pytest.mark.parametrize("name", [DEFAULT, "DiscreteLenglerOnePlusOne", "TBPSA"])
def test_the_same_seed_asks_the_same(name: str) -> None:
    assert asked(name, 3) == asked(name, 3)
    assert asked(name, 3) != asked(name, 4)


def test_the_finite_difference_is_the_papers() -> None:
    rule = FiniteDifference(START, step=1.0, rate=2.0, floor=0.5)
    assert [side.strength for side in rule.ask(8)] == [5.0, 3.0]
    rule.tell([0.7, 0.1])  # slope 0.3
    assert rule.strength == pytest.approx(3.4)
    rule.tell([100.0, 0.0])
    assert rule.strength == 0.5, "the floor"
    assert [side.strength for side in rule.ask(8)] == [1.5, 1e-8], "clamped on the left"
    rule.tell([0.2, 0.4])  # still divided by twice the step
    assert rule.strength == pytest.approx(0.7)


def test_the_finite_difference_comes_near_a_minimum() -> None:
    rule = FiniteDifference(START)
    for _ in range(20):
        rule.tell([abs(side.strength - 6.0) for side in rule.ask(2)])
    assert rule.strength == pytest.approx(6.0, abs=1.6)


def test_the_papers_settings_are_asked_for_in_turn() -> None:
    rival = make_optimizer(PAPER, SPACE, None, budget=24, workers=3, seed=0)
    grid = paper_grid(SPACE.width)
    assert rival.ask(3) == grid[:3]
    rival.tell([0.0, 1.0, 2.0])
    assert rival.ask(7) == [*grid[3:], *grid[:2]], "and from the beginning"


@pytest.mark.parametrize(
    ("name", "start", "problem"),
    [
        ("NoSuchOne", None, "nevergrad has no NoSuchOne"),
        (FINITE_DIFFERENCE, None, "needs a kind, dims and strength"),
        (FINITE_DIFFERENCE, Corruption("zero_out_top_k", 4), "has no strength"),
        (FINITE_DIFFERENCE, Corruption("rand_noise_top_k", 400, 1.0), "hidden size 128"),
    ],
)
def test_what_cannot_be_optimised_is_refused(
    name: str, start: Corruption | None, problem: str
) -> None:
    with pytest.raises(ConfigError, match=problem):
        make_optimizer(name, SPACE, start, budget=10, workers=1, seed=0)
