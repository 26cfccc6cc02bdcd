"""Held-out logits decide scaling, thresholds and figures; facts hold what a manifest needs."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.malicious.calibration import Scaling
from classifiers.prompts.labelled import LabelledPrompt
from guard.detectors.stored_thresholds import read_thresholds
from lab.detection.multilingual.calibrate import (
    Measured,
    calibrate,
    figures,
    limits_of,
    measured_of,
    spread_of,
    thresholds_of,
)
from lab.detection.multilingual.facts import metrics_of, read_origins


def _measured() -> Measured:
    rng = np.random.default_rng(0)
    benign = [LabelledPrompt(f"b{n}", ("snips", "bbh")[n % 2], "benign", "x") for n in range(400)]
    papers = [LabelledPrompt(f"d{n}", "bipia", "benign", "document_clean") for n in range(200)]
    attacks = [LabelledPrompt(f"m{n}", "aart", "malicious", "harmful_request") for n in range(100)]
    logits = [rng.normal(-4, 1, 400), rng.normal(-6, 1, 200), rng.normal(4, 1, 100)]
    return measured_of(benign + papers + attacks, np.concatenate(logits).astype(np.float32))


def test_one_percent_of_harmless_prompts_of_users_fire() -> None:
    measured = _measured()
    scaling, calibration = calibrate(measured)
    thresholds = thresholds_of(limits_of(measured), scaling, 0.6)
    odds = np.log(thresholds["score"] / (1 - thresholds["score"]))
    assert (scaling.of(measured.logits[:400]) >= odds).mean() == pytest.approx(0.01, abs=0.005)
    assert (len(calibration.benign), len(calibration.malicious)) == (600, 100)
    assert np.median(calibration.benign) < 0.1 < 0.9 < np.median(calibration.malicious)


def test_thresholds_are_those_of_a_manifest_and_lower_for_documents() -> None:
    measured = _measured()
    found = read_thresholds(thresholds_of(limits_of(measured), calibrate(measured)[0], 0.6))
    assert found.at("third_party", 1) < found.at("user", 1) < found.at("user", 4)
    assert found.at("user", 12) < found.at("user", 16) == found.at("user", 99)


def test_an_author_without_prompts_has_the_threshold_of_all() -> None:
    found = thresholds_of({"all": 2.0, "user": 1.0}, Scaling(), 0.0)
    assert found["developer"] == found["third_party@16"] > found["score"]
    assert found["score"] == pytest.approx(1 / (1 + np.exp(-1)), abs=1e-4)


def test_thresholds_are_raised_by_how_much_further_the_model_that_ships_spreads() -> None:
    logits = np.linspace(-3, 1, 101, dtype=np.float32)
    assert spread_of(logits + 0.5, [logits, logits]) == pytest.approx(0.5)
    assert spread_of(logits - 0.5, [logits]) == 0
    assert spread_of(logits, []) == 0
    raised = thresholds_of({"all": 1.0}, Scaling(), 0.0, 0.5)
    assert raised["score"] == pytest.approx(1 / (1 + np.exp(-1.5)), abs=1e-4)
    assert len(set(raised.values())) == 1


def test_figures_weigh_sources_alike_and_become_metrics() -> None:
    found = figures(_measured())
    metrics = metrics_of(found)
    assert metrics["auroc"] > 0.99
    assert metrics["recall_at_fpr_0.01"] > 0.95
    assert metrics["auroc_requests_hard"] > 0.99
    assert 0 < metrics["unseen_source_fpr"] < 0.1


def test_a_figure_that_could_not_be_measured_is_no_metric() -> None:
    pooled = {"auroc": 0.9, "ordinary": 0.95, "hard": None, "recall": 0.4}
    families = {"injections direct": {"ordinary": 0.9, "hard": None}}
    found = metrics_of({"pooled": pooled, "families": families, "unseen_sources": {"mean": 0.01}})
    assert found == {
        "auroc": 0.9,
        "auroc_ordinary": 0.95,
        "recall_at_fpr_0.01": 0.4,
        "unseen_source_fpr": 0.01,
        "auroc_injections_direct_ordinary": 0.9,
    }


def test_origins_are_read_of_the_sources_that_were_used(tmp_path: Path) -> None:
    table = tmp_path / "sets.md"
    table.write_text(
        "| name | a | b | c | d | e | from | licence |\n"
        "| snips | 1 | 2 | 3 | 4 | 5 | example.org/snips | CC0 |\n"
        "| other | 1 | 2 | 3 | 4 | 5 | example.org/other | MIT |\n"
    )
    assert read_origins(table, frozenset({"snips"})) == ["snips: example.org/snips (CC0)"]
