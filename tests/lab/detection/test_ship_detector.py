"""What ships is calibrated by out-of-source logits: threshold, p-values, the manifest's figures."""

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.ship_detector import calibrate, metrics_of


def _measured() -> tuple[list[LabelledPrompt], NDArray[np.float32]]:
    rng = np.random.default_rng(0)
    benign = [LabelledPrompt(f"b{n}", "snips", "benign", "x") for n in range(400)]
    attacks = [LabelledPrompt(f"m{n}", "aart", "malicious", "harmful_request") for n in range(100)]
    generated = [LabelledPrompt(f"g{n}", "twins", "malicious", "bomb") for n in range(50)]
    logits = [rng.normal(-4, 1, 400), rng.normal(4, 1, 100), rng.normal(-9, 1, 50)]
    return benign + attacks + generated, np.concatenate(logits).astype(np.float32)


def test_one_percent_of_benign_prompts_fire_and_generated_ones_do_not_count() -> None:
    prompts, logits = _measured()
    scaling, limit, calibration = calibrate(prompts, logits)
    scores = scaling.of(logits)
    assert 3 <= (scores[:400] >= limit).sum() <= 4
    assert (scores[400:500] >= limit).mean() > 0.95
    assert (len(calibration.benign), len(calibration.malicious)) == (400, 100)
    assert np.median(calibration.benign) < 0.1 < 0.9 < np.median(calibration.malicious)


def test_the_manifest_s_figures_are_those_of_the_folds() -> None:
    results = {
        "recall": {"0.01": {"sources_alike": 0.5}, "0.001": {"sources_alike": 0.2}},
        "unseen_benign_sources": {"mean": 0.011},
        "families": {"harmful": {"rows": 3, "ordinary": 0.9, "hard": 0.8}},
    }
    assert metrics_of(results) == pytest.approx(
        {
            "recall_at_fpr_0.01": 0.5,
            "recall_at_fpr_0.001": 0.2,
            "unseen_source_fpr": 0.011,
            "auroc_harmful_ordinary": 0.9,
            "auroc_harmful_hard": 0.8,
        }
    )
