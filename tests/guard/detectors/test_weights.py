"""Weights: what is taken is what was stored, and every error names the tensor."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import draft
from guard.detectors.weights import Weights, logistic, score_threshold
from guard.terms.errors import ArtifactError

MATRIX = np.arange(6, dtype=np.float32).reshape(2, 3)


def stored(folder: Path, threshold: float = 0.5, **tensors: NDArray[np.generic]) -> Artifact:
    manifest = draft("malicious", "sample", thresholds={"score": threshold})
    return write(folder / "a", manifest, tensors=tensors)


@pytest.mark.parametrize("shape", [(2, 3), (None, 3), (2, None), (None, None)])
def test_tensors_of_the_shape_are_given(tmp_path: Path, shape: tuple[int | None, ...]) -> None:
    weights = Weights(stored(tmp_path, matrix=MATRIX))
    np.testing.assert_array_equal(weights.take("matrix", *shape), MATRIX)
    assert "matrix" in weights
    assert "other" not in weights
    weights.finish()


WRONG: dict[str, tuple[NDArray[np.generic], tuple[int | None, ...], str]] = {
    "sides": (MATRIX, (3, 2), r"shape \(2, 3\), float32, expected \(3, 2\), float32"),
    "dimensions": (MATRIX, (None,), r"shape \(2, 3\), float32, expected \(n\), float32"),
    "type": (MATRIX.astype(np.float64), (2, 3), r"shape \(2, 3\), float64, expected"),
    "empty": (MATRIX[:0], (None, 3), r"shape \(0, 3\)"),
    "infinite": (MATRIX * np.float32(np.nan), (2, 3), "holds values that are not finite"),
}


@pytest.mark.parametrize(("tensor", "shape", "message"), WRONG.values(), ids=WRONG.keys())
def test_others_are_refused_by_name(
    tmp_path: Path, tensor: NDArray[np.generic], shape: tuple[int | None, ...], message: str
) -> None:
    weights = Weights(stored(tmp_path, matrix=tensor))
    with pytest.raises(ArtifactError, match=f"tensors.matrix: {message}"):
        weights.take("matrix", *shape)


def test_missing_and_meaningless_tensors_are_named(tmp_path: Path) -> None:
    weights = Weights(stored(tmp_path, matrix=MATRIX))
    with pytest.raises(ArtifactError, match=r"tensors.bias: missing"):
        weights.take("bias", 1)
    with pytest.raises(ArtifactError, match=r"tensors.matrix: has no meaning in this kind"):
        weights.finish()


@pytest.mark.parametrize("threshold", [0.0, 1.5, float("nan")])
def test_thresholds_outside_the_scores_are_refused(tmp_path: Path, threshold: float) -> None:
    with pytest.raises(ArtifactError, match=r"thresholds.score: expected a number in \(0, 1\]"):
        score_threshold(stored(tmp_path, threshold, matrix=MATRIX))


@given(st.lists(st.floats(-(2.0**99), 2.0**99, width=32), min_size=1))
def test_logistic_stays_in_bounds_and_order(logits: list[float]) -> None:
    ordered = np.sort(np.array(logits, dtype=np.float32))
    scores = logistic(ordered)
    assert scores.dtype == np.float32
    assert ((scores >= 0) & (scores <= 1)).all()
    assert (np.diff(scores) >= 0).all()
