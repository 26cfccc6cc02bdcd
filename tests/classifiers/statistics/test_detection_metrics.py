"""Metrics by hand on small tables, and what must hold for any scores."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score, roc_curve

from classifiers.statistics import detection_metrics as metrics

# Ranked from above: m .9, m .8, b .7, m .6, b .5, b .4, m .3, b .2
MALICIOUS = [0.9, 0.8, 0.6, 0.3]
BENIGN = [0.7, 0.5, 0.4, 0.2]

Score = st.floats(0, 1, width=16)
Scores = st.lists(Score, min_size=1, max_size=30)


def test_roc_has_a_point_for_each_score() -> None:
    curve = metrics.roc(MALICIOUS, BENIGN)
    assert curve.fpr.tolist() == [0, 0, 0, 0.25, 0.25, 0.5, 0.75, 0.75, 1]
    assert curve.tpr.tolist() == [0, 0.25, 0.5, 0.5, 0.75, 0.75, 0.75, 1, 1]
    assert curve.thresholds.tolist()[1:] == sorted(MALICIOUS + BENIGN, reverse=True)


def test_auroc_counts_pairs() -> None:
    # .9 and .8 beat four each, .6 three, .3 one: 12 of 16.
    assert metrics.auroc(MALICIOUS, BENIGN) == 12 / 16
    assert metrics.auroc([0.5], [0.5]) == 0.5


@pytest.mark.parametrize(
    ("fpr", "tpr"), [(0.0, 0.5), (0.1, 0.5), (0.249, 0.5), (0.25, 0.75), (0.75, 1.0), (1.0, 1.0)]
)
def test_tpr_is_that_of_the_last_point_without_interpolation(fpr: float, tpr: float) -> None:
    assert metrics.tpr_at_fpr(MALICIOUS, BENIGN, fpr) == tpr


def test_a_tie_at_the_top_gives_no_recall() -> None:
    assert metrics.tpr_at_fpr([1, 1, 1], [1, 0, 0], 0.1) == 0


@pytest.mark.parametrize(("tpr", "fpr"), [(0.95, 0.75), (0.75, 0.25), (0.5, 0.0)])
def test_fpr_is_that_of_the_first_point_reaching_the_tpr(tpr: float, fpr: float) -> None:
    assert metrics.fpr_at_tpr(MALICIOUS, BENIGN, tpr) == fpr


def test_partial_auroc_is_the_mean_tpr_of_its_range() -> None:
    assert metrics.partial_auroc(MALICIOUS, BENIGN, 0.25) == pytest.approx(0.5)
    assert metrics.partial_auroc(MALICIOUS, BENIGN, 0.5) == pytest.approx((0.5 + 0.75) / 2)
    assert metrics.partial_auroc(MALICIOUS, BENIGN, 1.0) == pytest.approx(12 / 16)


def test_pr_auc_by_hand() -> None:
    # Equal classes: precision at each hit 1/1, 2/2, 3/4, 4/7.
    assert metrics.pr_auc(MALICIOUS, BENIGN, 0.5) == pytest.approx((1 + 1 + 3 / 4 + 4 / 7) / 4)
    # At a prior of 0.2 a benign row weighs four times a malicious one: 3/(3+4), 4/(4+12).
    assert metrics.pr_auc(MALICIOUS, BENIGN, 0.2) == pytest.approx((1 + 1 + 3 / 7 + 4 / 16) / 4)


def test_pr_auc_of_no_signal_is_the_prior() -> None:
    assert metrics.pr_auc([0.5] * 3, [0.5] * 5, 0.001) == pytest.approx(0.001)


@pytest.mark.parametrize(
    ("tpr", "fpr", "prior", "precision"),
    [(0.95, 0.01, 0.001, 0.087), (0.9, 0.001, 0.001, 0.474), (0.8, 0.0005, 0.001, 0.616)],
)
def test_precision_at_a_prior(tpr: float, fpr: float, prior: float, precision: float) -> None:
    assert metrics.precision(tpr, fpr, prior) == pytest.approx(precision, abs=5e-4)


def test_precision_of_silence_is_not_a_number() -> None:
    assert math.isnan(metrics.precision(0, 0, 0.1))


def test_length_alone_has_no_merit_once_lengths_match() -> None:
    malicious, benign = [100] * 9 + [10], [10] * 9 + [100]
    assert metrics.auroc(malicious, benign) == pytest.approx(0.9)
    found, share = metrics.length_matched_auroc(malicious, benign, malicious, benign)
    assert found == pytest.approx(0.5)
    assert share == 1


def test_lengths_of_one_class_only_are_left_out() -> None:
    found, share = metrics.length_matched_auroc([0.9, 0.1], [0.5], [10, 5000], [10])
    assert (found, share) == (1.0, 0.5)
    found, share = metrics.length_matched_auroc([0.9], [0.1], [10], [5000])
    assert math.isnan(found)
    assert share == 0


@pytest.mark.parametrize(
    ("hits", "rows", "low", "high"),
    [(10, 1000, 0.0048, 0.0183), (50, 5000, 0.0074, 0.0132), (0, 1000, 0.0, 0.0037)],
)
def test_exact_intervals(hits: int, rows: int, low: float, high: float) -> None:
    assert metrics.rate_interval(hits, rows) == pytest.approx((low, high), abs=5e-5)


def test_wilson_interval() -> None:
    # (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n) with n = 10, p = 0.1, z = 1.95996
    found = metrics.rate_interval(1, 10, method="wilson")
    assert found == pytest.approx((0.01788, 0.40415), abs=1e-5)


def test_no_rows_say_nothing() -> None:
    assert metrics.rate_interval(0, 0) == (0.0, 1.0)


def test_bootstrap_over_one_source_has_no_width() -> None:
    interval = metrics.cluster_bootstrap(metrics.auroc, {"a": MALICIOUS}, {"b": BENIGN})
    assert interval == (0.75, 0.75)


def test_bootstrap_takes_sources_whole() -> None:
    malicious = {"good": [0.9] * 50, "bad": [0.1] * 50}
    low, high = metrics.cluster_bootstrap(metrics.auroc, malicious, {"b": [0.5] * 50}, seed=1)
    assert (low, high) == (0.0, 1.0)
    assert (low, high) == metrics.cluster_bootstrap(
        metrics.auroc, malicious, {"b": [0.5] * 50}, seed=1
    )


def test_calibration_error_by_hand() -> None:
    # Bins of width 0.5: mean .25 with no hit, mean .75 with half: gaps .25 and .25.
    error = metrics.calibration_error([0.2, 0.3, 0.7, 0.8], [0, 0, 1, 0], bins=2)
    assert error == pytest.approx(0.25)
    means, shares = metrics.reliability([0.2, 0.3, 0.7, 0.8], [0, 0, 1, 0], bins=2)
    assert means == pytest.approx([0.25, 0.75])
    assert shares == [0, 0.5]


def test_a_score_of_one_falls_into_the_last_bin() -> None:
    assert metrics.calibration_error([1.0, 0.0], [1, 0]) == 0


def test_flips() -> None:
    assert metrics.flip_rate([0.4, 0.6, 0.6, 0.1], [0.6, 0.4, 0.9, 0.2], 0.5) == 0.5
    assert metrics.flip_rate([], [], 0.5) == 0


@pytest.mark.parametrize("rows", [([], [0.5]), ([0.5], [])])
def test_a_class_without_rows_is_refused(rows: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValueError, match="malicious and benign rows are needed"):
        metrics.auroc(*rows)


@settings(deadline=None)
@given(Scores, Scores)
def test_ranking_metrics_ignore_monotone_changes(bad: list[float], good: list[float]) -> None:
    def changed(scores: list[float]) -> list[float]:
        return [score * 8 - 3 for score in scores]

    for metric in (metrics.auroc, metrics.fpr_at_tpr, metrics.partial_auroc):
        assert metric(changed(bad), changed(good)) == pytest.approx(metric(bad, good))


@settings(deadline=None)
@given(Scores, Scores)
def test_the_curve_is_that_of_scikit_learn(bad: list[float], good: list[float]) -> None:
    labels = [1] * len(bad) + [0] * len(good)
    curve = metrics.roc(bad, good)
    fpr, tpr, thresholds = roc_curve(labels, bad + good, drop_intermediate=False)
    assert np.allclose(curve.fpr, fpr)
    assert np.allclose(curve.tpr, tpr)
    assert np.array_equal(curve.thresholds, thresholds)
    assert metrics.auroc(bad, good) == pytest.approx(roc_auc_score(labels, bad + good))


@settings(deadline=None)
@given(Scores, Scores)
def test_swapping_the_classes_mirrors_auroc(bad: list[float], good: list[float]) -> None:
    assert metrics.auroc(bad, good) + metrics.auroc(good, bad) == pytest.approx(1)


@settings(deadline=None)
@given(Scores, Scores, st.floats(0, 1), st.floats(0, 1))
def test_recall_grows_with_the_rate_allowed(
    bad: list[float], good: list[float], one: float, other: float
) -> None:
    low, high = sorted((one, other))
    assert metrics.tpr_at_fpr(bad, good, low) <= metrics.tpr_at_fpr(bad, good, high)


@settings(deadline=None)
@given(Scores, Scores, st.floats(0.001, 1))
def test_the_point_of_a_rate_keeps_it(bad: list[float], good: list[float], fpr: float) -> None:
    tpr = metrics.tpr_at_fpr(bad, good, fpr)
    reached = [t for t in {*bad, *good, 2.0} if np.mean(np.array(good) >= t) <= fpr]
    assert tpr == pytest.approx(max(np.mean(np.array(bad) >= t) for t in reached))


@settings(deadline=None)
@given(Scores, Scores, st.floats(0.01, 0.99))
def test_pr_auc_lies_between_zero_and_one(bad: list[float], good: list[float], p: float) -> None:
    assert 0 <= metrics.pr_auc(bad, good, p) <= 1 + 1e-9


@settings(deadline=None)
@given(st.lists(st.tuples(Score, st.booleans()), min_size=1))
def test_calibration_error_is_a_share(rows: list[tuple[float, bool]]) -> None:
    scores, labels = zip(*rows, strict=True)
    assert 0 <= metrics.calibration_error(scores, labels) <= 1


@settings(deadline=None)
@given(st.integers(0, 50), st.integers(1, 50))
def test_intervals_hold_the_rate(hits: int, more: int) -> None:
    rows = hits + more
    low, high = metrics.rate_interval(hits, rows)
    assert 0 <= low <= hits / rows <= high <= 1
