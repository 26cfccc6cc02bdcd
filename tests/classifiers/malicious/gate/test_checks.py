"""Bounds and resampled figures against their definitions."""

import numpy as np
import pytest

from classifiers.malicious.gate.checks import (
    Margin,
    aurocs,
    compare,
    rate_bounds,
    rates,
    resamples,
)

MARGIN = Margin(0.02, 0.05, 0.95)


@pytest.mark.parametrize(
    ("events", "rows", "lower", "upper"),
    [
        (0, 149, 0.0, 0.0199),  # the fewest rows that show less than 2 %
        (0, 148, 0.0, 0.0200),
        (10, 10, 0.7411, 1.0),
        (5, 100, 0.0199, 0.1023),
    ],
)
def test_clopper_pearson(events: int, rows: int, lower: float, upper: float) -> None:
    found = rate_bounds(events, rows, 0.95)
    assert found == pytest.approx((lower, upper), abs=1e-4)


def test_the_bound_holds_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    events = rng.binomial(300, 0.03, 2000)
    covered = np.mean([rate_bounds(int(e), 300, 0.95)[1] >= 0.03 for e in events])
    assert 0.94 <= covered <= 1


def test_resampled_auroc_is_that_of_the_repeated_rows() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(1)
    scores = rng.integers(0, 8, 60).astype(np.float32)  # with ties
    malicious = np.arange(60) < 20
    counts = resamples([malicious, ~malicious], rng, 5)
    assert (counts[:, :20].sum(axis=1) == 20).all()
    assert (counts.sum(axis=1) == 60).all()
    for row, value in zip(counts, aurocs(scores, malicious, ~malicious, counts), strict=True):
        repeated = np.repeat(np.arange(60), row.astype(int))
        expected = roc_auc_score(malicious[repeated], scores[repeated])
        assert value == pytest.approx(expected)


def test_rates_of_a_group() -> None:
    fired = np.array([True, False, True, True])
    group = np.array([True, True, False, False])
    counts = np.array([[1, 1, 1, 1], [2, 0, 0, 2], [0, 2, 1, 1]])
    assert rates(fired, group, counts).tolist() == [0.5, 1.0, 0.0]


@pytest.mark.parametrize(
    ("candidate", "losses", "passed"),
    [
        (0.80, (0.0, 0.0), True),
        (0.79, (-0.02, 0.04), True),  # less than is allowed
        (0.77, (-0.01, 0.045), True),  # more, but by accident
        (0.77, (0.01, 0.045), False),  # more, and no accident
        (0.79, (-0.04, 0.08), False),  # nobody knows
        (0.95, (-0.2, -0.1), True),
    ],
)
def test_noise_decides_nothing(candidate: float, losses: tuple[float, float], passed: bool) -> None:
    drawn = np.linspace(*losses, 1000)
    assert compare("recall", candidate, 0.80, drawn, MARGIN).passed is passed


def test_a_rise_is_worse_where_lower_is_better() -> None:
    check = compare("alarms", 0.3, 0.2, np.full(9, 0.1), MARGIN, lower_is_better=True)
    assert not check.passed
    assert check.sentence == "alarms 0.300, in service 0.200, allowed rise 0.02"
    assert check.limit == pytest.approx(0.22)
