"""Thresholds that hold their rate for requests of every length."""

import numpy as np
import pytest

from classifiers.statistics.request_thresholds import request_thresholds
from classifiers.statistics.thresholds import TooFewRowsError

FPR = 0.02


def requests(rng: np.random.Generator, rows: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """Highest scores of harmless requests whose windows are alike, and their windows' numbers."""
    reads = 2 ** rng.uniform(0, np.log2(longest), rows)
    highest = [rng.normal(size=int(count)).max() for count in reads]
    return 1 / (1 + np.exp(-np.array(highest))), reads.astype(int)


def test_the_rate_holds_at_every_length() -> None:
    rng = np.random.default_rng(0)
    steps, bins = request_thresholds(*requests(rng, 20_000, 64), FPR)
    assert all(bin_.guaranteed for bin_ in bins)
    scores, reads = requests(rng, 20_000, 64)
    fired = scores >= np.array([steps.at(int(count)) for count in reads])
    for start in (1, 2, 4, 8, 16, 32):
        inside = (reads >= start) & (reads < 2 * start)
        assert fired[inside].mean() <= 1.5 * FPR
    # One threshold for all lengths would not hold it.
    assert (scores[reads >= 32] >= steps.at(1)).mean() > 10 * FPR


def test_thresholds_never_fall_with_length() -> None:
    scores = [*np.linspace(0.1, 0.9, 100), *np.linspace(0.1, 0.5, 100)]
    steps, _ = request_thresholds(scores, [1] * 100 + [8] * 100, FPR)
    assert steps.at(8) == steps.at(1)


def test_lengths_without_rows_go_on_rising() -> None:
    rng = np.random.default_rng(1)
    scores, reads = requests(rng, 2000, 8)
    few = np.append(scores, [0.5, 0.5]), np.append(reads, [40, 100])
    steps, bins = request_thresholds(*few, FPR)
    assert [bin_.guaranteed for bin_ in bins[-3:]] == [False, False, False]
    assert steps.at(8) < steps.at(16) < steps.at(64) < 1


def test_too_few_rows_are_an_error() -> None:
    with pytest.raises(TooFewRowsError, match="needs"):
        request_thresholds([0.1] * 20, [1] * 20, FPR)
