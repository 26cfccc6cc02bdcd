"""Thresholds between their two bounds, by both methods, and rates counted by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.forget.evaluation import (
    CERTAIN,
    Bounds,
    Rates,
    conformal_bounds,
    guarantee,
    probability,
    simple_bounds,
)
from classifiers.statistics.thresholds import TooFewRowsError

RNG = np.random.default_rng(0)


def simple(
    retain: NDArray[np.floating],
    forget: NDArray[np.floating],
    strangers: int = 0,
    fpr: float = 0.05,
) -> Bounds:
    """Bounds of log odds; the first `strangers` retain rows are questions about strangers."""
    scores = np.concatenate([retain, forget]).astype(np.float32)
    labels = np.array([0] * len(retain) + [1] * len(forget))
    swapped = np.arange(len(scores)) < strangers
    return simple_bounds(scores, labels, swapped, fpr=fpr, fnr=0.05, confidence=0.95)


def test_separated_classes_get_a_threshold_between_them() -> None:
    found = simple(np.full(100, -4.0), np.full(40, 4.0))
    assert found.value == pytest.approx(0, abs=0.01)
    assert found.benign.method == "neyman-pearson"
    assert found.finds_forget


def test_overlapping_classes_keep_the_false_positive_rate() -> None:
    retain = RNG.standard_normal(400)
    found = simple(retain, RNG.standard_normal(100))
    assert (retain >= found.value).mean() <= 0.05
    assert not found.finds_forget


def test_a_rate_too_small_to_count_is_estimated_from_the_tail() -> None:
    retain = RNG.standard_normal(2000)
    found = simple(retain, np.full(40, 9.0), fpr=1e-6)
    assert found.benign.method == "tail"
    assert 4.5 < found.benign.value < 5.2  # a normal's is 4.75


def test_strangers_are_let_through() -> None:
    retain = np.concatenate([np.full(100, 2.0), np.full(1000, -4.0)])
    assert simple(retain, np.full(40, 4.0), strangers=100).benign.value > 2
    assert simple(retain[100:], np.full(40, 4.0)).benign.value < 0


def test_conformal_thresholds_keep_their_level() -> None:
    """Over many draws, a new row of either class is judged wrongly with at most that chance."""
    wrong = np.zeros(2)
    for _ in range(300):
        retain, forget = RNG.normal(-2, 1, 99), RNG.normal(2, 1, 99)
        labels = np.array([0] * 99 + [1] * 99)
        found = conformal_bounds(np.concatenate([retain, forget]).astype(np.float32), labels, 0.05)
        new = RNG.normal(-2, 1, 20), RNG.normal(2, 1, 20)
        wrong += (new[0] >= found.value).mean(), (new[1] < found.value).mean()
    assert (wrong / 300 <= 0.06).all()


def test_the_guarantee_says_what_the_rows_allow() -> None:
    labels = np.array([0] * 99 + [1] * 9)
    apart = np.array([-3.0] * 99 + [3.0] * 9, dtype=np.float32)
    found = guarantee(conformal_bounds(apart, labels, 0.01), labels, 0.01)
    assert found["false_positive"] == {"at_most": 0.01, "rows": 99}
    assert found["false_negative"] == {"at_most": 0.1, "rows": 9}
    mixed = np.array([3.0] * 99 + [-3.0] * 9, dtype=np.float32)
    found = guarantee(conformal_bounds(mixed, labels, 0.01), labels, 0.01)
    assert found["false_negative"] == {"at_most": None, "rows": 9}


def test_too_few_retain_rows_are_an_error() -> None:
    labels = np.array([0] * 50 + [1] * 9)
    with pytest.raises(TooFewRowsError, match="99 are needed"):
        conformal_bounds(np.zeros(59, dtype=np.float32), labels, 0.01)


def test_rates_are_counted_by_class() -> None:
    labels = np.array([0] * 200 + [1] * 40)
    fired = np.zeros(240, dtype=np.bool_)
    fired[[0, 1]] = True
    fired[202:] = True
    found = Rates.of(fired, labels, np.ones(240, dtype=np.bool_))
    assert (found.forget, found.retain) == (40, 200)
    assert found.false_negative == pytest.approx(0.05)
    assert found.false_positive == pytest.approx(0.01)
    nothing = Rates.of(fired, labels, np.zeros(240, dtype=np.bool_))
    assert nothing.report() == {"fnr": 0, "fpr": 0, "forget": 0, "retain": 0}


def test_probabilities_stay_in_range() -> None:
    assert probability(0) == 0.5
    assert probability(float(CERTAIN)) == 1.0
    assert probability(-3) == pytest.approx(1 / (1 + np.exp(3)))
