"""The forget classifier: its two lines of evidence, and artifacts that cannot be one."""

from pathlib import Path

import numpy as np
import orjson
import pytest
from numpy.typing import NDArray

from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import draft
from guard.detectors.forget.detector import ForgetClassifier
from guard.terms.errors import ArtifactError, DetectorError

WEIGHT = np.array([2.0, -1.0, 0.5], dtype=np.float32)
FEATURES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], dtype=np.float32)
ENCODER = "e" * 64


def artifact(
    folder: Path,
    *,
    weight: NDArray[np.generic] | None = WEIGHT,
    names: object = ("Ilse Varnholt",),
    threshold: float = 0.6,
    encoder: str | None = ENCODER,
) -> Artifact:
    tensors: dict[str, NDArray[np.generic]] = {"bias": np.array([0.25], dtype=np.float32)}
    if weight is not None:
        tensors["weight"] = weight
    manifest = draft("forget", "sample", encoder=encoder, thresholds={"score": threshold})
    return write(folder, manifest, tensors=tensors, files={"names.json": orjson.dumps(names)})


def test_loaded_scores_equal_the_originals(tmp_path: Path) -> None:
    artifact(tmp_path / "a")
    original = ForgetClassifier(WEIGHT, 0.25, ["Ilse Varnholt"], threshold=0.6, encoder=ENCODER)
    loaded = ForgetClassifier.load(tmp_path / "a")
    texts = ["who?", "where was ilse varnholt born", "x"]
    np.testing.assert_array_equal(loaded.score(texts, FEATURES), original.score(texts, FEATURES))
    assert (loaded.threshold, loaded.encoder) == (0.6, ENCODER)


def test_the_larger_evidence_counts() -> None:
    detector = ForgetClassifier(WEIGHT, 0.0, ["Ilse Varnholt"], threshold=0.6, encoder=ENCODER)
    scores = detector.score(["a", "Ilse Varnholt", "b"], FEATURES)
    np.testing.assert_allclose(scores, [1 / (1 + np.exp(-2)), 1.0, 1 / (1 + np.exp(-0.5))], 1e-6)


def test_without_names_the_head_decides() -> None:
    detector = ForgetClassifier(WEIGHT, 0.0, [], threshold=0.6, encoder=ENCODER)
    texts = ["Ilse Varnholt"] * 3
    np.testing.assert_array_equal(
        detector.score(texts, FEATURES), detector.score_features(FEATURES)
    )


@pytest.mark.parametrize("features", [None, FEATURES[:, :2], FEATURES[0]])
def test_features_that_do_not_fit_are_a_detector_error(features: NDArray[np.float32]) -> None:
    detector = ForgetClassifier(WEIGHT, 0.0, [], threshold=0.6, encoder=ENCODER)
    with pytest.raises(DetectorError, match="features"):
        detector.score(["a", "b", "c"], features)


UNUSABLE = {
    "no encoder": ({"encoder": None}, "encoder: a forget classifier names its encoder"),
    "no weight": ({"weight": None}, "tensors.weight: missing"),
    "wrong shape": ({"weight": np.ones((2, 2), dtype=np.float32)}, "tensors.weight: shape"),
    "wrong type": ({"weight": np.ones(3)}, "tensors.weight: shape"),
    "not finite": ({"weight": WEIGHT * np.float32(np.nan)}, "tensors.weight: holds values"),
    "threshold": ({"threshold": 1.5}, r"thresholds.score: expected a number in \(0, 1\]"),
    "names": ({"names": {"a": 1}}, "names.json: expected a list of names"),
    "blank name": ({"names": [" "]}, "names.json: expected a list of names"),
}


@pytest.mark.parametrize(("fields", "message"), UNUSABLE.values(), ids=UNUSABLE.keys())
def test_unusable_artifacts_name_the_field(
    tmp_path: Path, fields: dict[str, object], message: str
) -> None:
    artifact(tmp_path / "a", **fields)  # type: ignore[arg-type]
    with pytest.raises(ArtifactError, match=message):
        ForgetClassifier.load(tmp_path / "a")
