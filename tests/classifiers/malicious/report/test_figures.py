"""Figures against small examples worked out by hand."""

import numpy as np
import pytest

from classifiers.malicious.report.figures import (
    Share,
    flat,
    operating_figures,
    p_value_figures,
    ranking_figures,
    source_figures,
    unseen_source_figures,
)
from classifiers.prompts.labelled import Label, LabelledPrompt
from guard.detectors.calibration import Calibration
from guard.terms.detector import Scores

SCORES: Scores = np.array([0.9, 0.8, 0.3, 0.7, 0.2, 0.1, 0.05], dtype=np.float32)
LABELS = np.array([1, 1, 1, 0, 0, 0, 0])


LENGTHS = np.array([10, 10, 10, 10, 10, 10, 1000])


def test_ranking_of_a_small_example() -> None:
    found = ranking_figures(SCORES, LABELS, LENGTHS, prior=3 / 7)
    assert found["auroc"] == pytest.approx(11 / 12)
    assert found["length_matched_auroc"] == pytest.approx(8 / 9)
    assert found["tpr_at_fpr_0.01"] == pytest.approx(2 / 3)
    assert found["fpr95"] == pytest.approx(1 / 4)
    assert found["pr_auc"] == pytest.approx((1 + 1 + 3 / 4) / 3)


def test_lengths_that_never_meet_match_nothing() -> None:
    found = ranking_figures(SCORES, LABELS, 10 + 1000 * LABELS, prior=0.5)
    assert found["length_matched_auroc"] is None


def test_a_missing_class_has_no_ranking() -> None:
    found = ranking_figures(SCORES[:3], LABELS[:3], LENGTHS[:3], 0.01)
    assert set(found.values()) == {None}


def test_the_operating_point() -> None:
    found = operating_figures(SCORES, LABELS, 0.7)
    recall, fpr = found["recall"], found["fpr"]
    assert isinstance(recall, dict)
    assert isinstance(fpr, dict)
    assert (recall["rate"], recall["rows"]) == (2 / 3, 3)
    assert (fpr["rate"], fpr["rows"]) == (1 / 4, 4)
    assert flat(found) == {
        "recall": 2 / 3,
        "fpr": 1 / 4,
        "calibration_error": found["calibration_error"],
    }


def test_an_interval_is_clopper_and_pearsons() -> None:
    """The reference's example: 10 of 1,000."""
    found = Share(10, 1000).report()
    assert found["low"] == pytest.approx(0.0048, abs=5e-5)
    assert found["high"] == pytest.approx(0.0183, abs=5e-5)
    assert Share(0, 0).report()["rate"] is None


def prompts(count: int, source: str, label: Label) -> list[LabelledPrompt]:
    return [LabelledPrompt(f"{source} {n}", source, label) for n in range(count)]


def test_sources_are_listed_worst_first() -> None:
    rows = [
        *prompts(2, "a", "malicious"),
        *prompts(2, "b", "malicious"),
        *prompts(2, "c", "benign"),
    ]
    scores: Scores = np.array([0.9, 0.9, 0.1, 0.9, 0.1, 0.1], dtype=np.float32)
    found = source_figures(rows, scores, 0.5)
    assert [(row["source"], row["label"]) for row in found] == [
        ("c", "benign"),
        ("b", "malicious"),
        ("a", "malicious"),
    ]


def test_a_source_unlike_the_others_breaks_the_bound_and_shows() -> None:
    rng = np.random.default_rng(0)
    rows = [p for source in ("a", "b", "odd") for p in prompts(200, source, "benign")]
    scores = np.concatenate([rng.random(400) / 2, 0.4 + rng.random(200) / 2]).astype(np.float32)
    found = {row["source"]: row["fpr"] for row in unseen_source_figures(rows, scores, 0.05, 0.9)}
    rates = {source: fpr["rate"] for source, fpr in found.items() if isinstance(fpr, dict)}
    assert rates["a"] == rates["b"] == 0
    assert isinstance(rates["odd"], float)
    assert rates["odd"] > 0.5
    assert unseen_source_figures(rows[:200], scores[:200], 0.05, 0.9) == []


def test_p_values_of_like_rows_keep_their_level() -> None:
    rng = np.random.default_rng(1)
    benign, malicious = rng.random(4000) / 2, 0.5 + rng.random(4000) / 2
    calibration = Calibration(benign[:2000], malicious[:2000])
    scores = np.concatenate([benign[2000:], malicious[2000:]]).astype(np.float32)
    found = p_value_figures(calibration, scores, np.repeat([0, 1], 2000))
    for shares in found.values():
        assert isinstance(shares, dict)
        assert shares["0.05"] == pytest.approx(0.05, abs=0.015)
