"""Thresholds against brute force and simulation."""

from collections.abc import Callable
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.statistics.thresholds import (
    TooFewRowsError,
    choose_threshold,
    conformal_threshold,
    rows_needed,
    threshold_at_fnr,
    threshold_at_fpr,
)

unit_scores = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=200)


def brute_force_rank(count: int, fpr: float, confidence: float) -> int | None:
    for rank in range(1, count + 1):
        tail = sum(
            comb(count, j) * (1 - fpr) ** j * fpr ** (count - j) for j in range(rank, count + 1)
        )
        if tail <= 1 - confidence:
            return rank
    return None


@pytest.mark.parametrize("count", [10, 58, 59, 60, 120, 300])
@pytest.mark.parametrize(("fpr", "confidence"), [(0.05, 0.95), (0.2, 0.9), (0.01, 0.95)])
def test_rank_equals_brute_force(count: int, fpr: float, confidence: float) -> None:
    scores = np.linspace(0.1, 0.9, count, dtype=np.float32)
    rank = brute_force_rank(count, fpr, confidence)
    if rank is None:
        with pytest.raises(TooFewRowsError, match="are needed"):
            threshold_at_fpr(scores, fpr, confidence)
    else:
        threshold = threshold_at_fpr(scores, fpr, confidence)
        assert int((scores >= threshold).sum()) == count - rank


@pytest.mark.parametrize(
    ("fpr", "rows", "above"),
    [(0.05, 1000, 38), (0.01, 1000, 4), (0.01, 10_000, 83), (0.005, 5000, 16), (0.001, 5000, 1)],
)
def test_rows_above_as_published(fpr: float, rows: int, above: int) -> None:
    scores = np.arange(rows, dtype=np.float32)
    assert int((scores >= threshold_at_fpr(scores, fpr)).sum()) == above


@pytest.mark.parametrize(
    ("fpr", "confidence", "rows"),
    [(0.05, 0.95, 59), (0.01, 0.95, 299), (0.005, 0.95, 598), (0.001, 0.99, 4603)],
)
def test_fewest_rows(fpr: float, confidence: float, rows: int) -> None:
    assert rows_needed(fpr, confidence) == rows
    threshold_at_fpr(np.arange(rows), fpr, confidence)
    with pytest.raises(TooFewRowsError):
        threshold_at_fpr(np.arange(rows - 1), fpr, confidence)


def test_the_promised_rate_holds_in_simulation() -> None:
    rng = np.random.default_rng(0)
    # Scores are uniform, so a threshold's true false-positive rate is one minus itself.
    rates = [1 - threshold_at_fpr(rng.random(200), 0.05, 0.9) for _ in range(2000)]
    assert np.mean(np.array(rates) > 0.05) <= 0.1
    conformal = [1 - conformal_threshold(rng.random(200), 0.05) for _ in range(2000)]
    assert np.mean(conformal) == pytest.approx(0.05, abs=0.002)


@given(unit_scores, st.floats(0.01, 0.9))
def test_ties_never_raise_the_rate(scores: list[float], fpr: float) -> None:
    found = choose_threshold(scores, fpr)
    array = np.array(scores, dtype=np.float32)
    assert found.rows == len(scores)
    assert (array >= found.value).mean() <= fpr
    assert (array < found.value).any()


@given(unit_scores, st.floats(0.01, 0.9))
def test_the_miss_rate_is_kept_on_the_rows_themselves(scores: list[float], fnr: float) -> None:
    threshold = threshold_at_fnr(scores, fnr)
    assert (np.array(scores, dtype=np.float32) < threshold).mean() <= fnr


@pytest.mark.parametrize(
    ("rows", "method"), [(59, "neyman-pearson"), (58, "conformal"), (18, "maximum")]
)
def test_fewer_rows_give_a_weaker_method(rows: int, method: str) -> None:
    assert choose_threshold(np.arange(rows), 0.05).method == method


def test_conformal_needs_enough_rows() -> None:
    assert conformal_threshold(np.arange(19), 0.05) > 18
    with pytest.raises(TooFewRowsError, match="19 are needed"):
        conformal_threshold(np.arange(18), 0.05)


@pytest.mark.parametrize("choose", [threshold_at_fpr, conformal_threshold, choose_threshold])
@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1, float("nan")])
def test_rates_lie_between_zero_and_one(choose: Callable[..., object], rate: float) -> None:
    with pytest.raises(ValueError, match="must lie between"):
        choose(np.arange(500), rate)


@pytest.mark.parametrize("scores", [[], [[0.1]], [0.1, float("nan")]])
def test_scores_must_be_finite_rows(scores: list[float]) -> None:
    with pytest.raises(ValueError, match=r"no rows|finite"):
        choose_threshold(scores, 0.1)
