"""Imported classifiers as artifacts: what of a manifest they read, and what is wrong with one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import CARD, MANIFEST, REPORT, draft
from guard.detectors.calibration import Calibration
from guard.detectors.classifier import KIND
from guard.detectors.kinds import load_detector
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.detector import Detector
from guard.terms.errors import ArtifactError
from tests.encoders import tiny_artifact

CLASSES = [f"class-{n}" for n in range(32)]
TEXTS = ["what is the bridge", "tell me about the river"]


def classifier(folder: Path, thresholds: dict[str, float] | None = None, **recipe: Any) -> Detector:
    """A classifier whose classes' numbers are those of a tiny encoder's graph."""
    source = read(tiny_artifact())
    whole = {
        **{"width": 32, "max_tokens": 48, "batched": True},
        **{"classes": CLASSES, "unsafe": CLASSES[:2], "multi_label": False},
        **recipe,
    }
    manifest = draft(KIND, "sample", recipe=whole, thresholds=thresholds or {"score": 0.5})
    files = {n: c for n, c in source.contents.items() if n not in (MANIFEST, REPORT, CARD)}
    tensors = Calibration(benign=[0.1, 0.2, 0.3]).tensors()
    write(folder, manifest, files=files, tensors=tensors)
    return load_detector(folder, None)


def test_bad_classes_are_added_up_and_bounded(tmp_path: Path) -> None:
    numbers = OnnxEncoder.load(tiny_artifact()).encode(TEXTS)[:, :2]
    added = classifier(tmp_path / "a").score(TEXTS, None)
    highest = classifier(tmp_path / "b", multi_label=True).score(TEXTS, None)
    assert added == pytest.approx(np.clip(numbers.sum(axis=1), 0, 1), abs=1e-6)
    assert highest == pytest.approx(np.clip(numbers.max(axis=1), 0, 1), abs=1e-6)


def test_thresholds_and_p_values_are_the_artifacts(tmp_path: Path) -> None:
    detector = classifier(tmp_path / "a", {"score": 0.3, "score@8": 0.6})
    assert detector.threshold == pytest.approx(0.3)
    assert detector.thresholds is not None
    assert detector.calibration is not None
    assert detector.calibration.p_benign(0.25) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"classes": CLASSES[:2]}, "recipe.classes: 32 are expected"),
        ({"unsafe": ["other"]}, "recipe.unsafe: no class 'other'"),
        ({"unsafe": []}, "recipe.unsafe: expected a list of names"),
        ({"classes": [5]}, "recipe.classes: expected a list of names"),
        ({"multi_label": "no"}, "recipe.multi_label: expected bool"),
        ({"thresholds": {"score": 7.0}}, "thresholds.score"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError) as error:
        classifier(tmp_path / "a", **changes)
    assert said in str(error.value)
