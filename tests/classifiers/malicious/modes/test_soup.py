"""Greedy soups: never worse on validation, and never of runs that cannot be averaged."""

import numpy as np
import pytest

from classifiers.malicious.data.training_set import Recipe
from classifiers.malicious.feature_model import Member, linear
from classifiers.malicious.modes.runs import train_runs
from classifiers.malicious.modes.soup import Ingredient, greedy_soup
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted


def ingredient(value: float, init: str = "one") -> Ingredient:
    return Ingredient(linear(np.array([value]), 0.0), init)


def nearness_to_zero(member: Member) -> float:
    return -abs(float(member[0].weight[0, 0]))


def test_what_improves_is_averaged_in() -> None:
    soup = greedy_soup([ingredient(-4), ingredient(1), ingredient(3)], nearness_to_zero)
    # From 1: with 3 it would be 2, which is worse; with -4 it is -1.5, worse too.
    assert soup.chosen == (1,)
    soup = greedy_soup([ingredient(-4), ingredient(3), ingredient(3.5)], nearness_to_zero)
    assert soup.chosen == (1, 0)
    assert soup.score == -0.5
    assert float(soup.member[0].weight[0, 0]) == -0.5


def test_it_is_never_worse_than_the_best_run() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        given = [ingredient(value) for value in rng.standard_normal(6)]
        best = max(nearness_to_zero(i.member) for i in given)
        soup = greedy_soup(given, nearness_to_zero)
        assert soup.score >= best
        assert soup.score == nearness_to_zero(soup.member)


def test_equal_scores_are_not_an_improvement() -> None:
    assert greedy_soup([ingredient(1), ingredient(1)], nearness_to_zero).chosen == (0,)


def test_other_starts_are_refused() -> None:
    with pytest.raises(ConfigError, match="init"):
        greedy_soup([ingredient(1), ingredient(2, "two")], nearness_to_zero)
    with pytest.raises(ConfigError, match="no run"):
        greedy_soup([], nearness_to_zero)


def test_runs_of_one_recipe_can_be_souped() -> None:
    planted = Planted(0, 3, width=12)
    rows, checked = planted.rows(200, 60, seed=1), planted.rows(100, 100, seed=2)
    recipe = Recipe(hidden=16, epochs=3, soup=3)
    _, facts = train_runs(
        rows.features, rows.labels, recipe, np.random.default_rng(0), validation=checked
    )
    assert facts["soup_runs"] == 3
    _, alone = train_runs(rows.features, rows.labels, recipe, np.random.default_rng(0))
    assert "soup_runs" not in alone
