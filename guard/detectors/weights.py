"""What a trained detector reads from its artifact: tensors and threshold, checked on the way."""

import numpy as np
from numpy.typing import NDArray

from guard.artifacts.folder import Artifact
from guard.terms.detector import Scores

Array = NDArray[np.float32]
MOST_LOG_ODDS = 17.0
"""Beyond this a float32 probability is 1: where the head of a request with threshold 1 fires."""


class Weights:
    """An artifact's tensors, to be taken one by one; every ArtifactError names the tensor."""

    def __init__(self, artifact: Artifact) -> None:
        self.artifact = artifact
        self._tensors = artifact.tensors()
        self._left = set(self._tensors)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def take(self, name: str, *shape: int | None) -> Array:
        """The tensor, float32, finite and of `shape`; a side that is None may have any length."""
        tensor = self._tensors.get(name)
        if tensor is None:
            raise self.artifact.fail(f"tensors.{name}", "missing")
        if tensor.dtype != np.float32 or not _fits(tensor.shape, shape):
            sides = ", ".join("n" if side is None else str(side) for side in shape)
            raise self.artifact.fail(
                f"tensors.{name}",
                f"shape {tensor.shape}, {tensor.dtype}, expected ({sides}), float32",
            )
        if not np.isfinite(tensor).all():
            raise self.artifact.fail(f"tensors.{name}", "holds values that are not finite")
        self._left.discard(name)
        return np.ascontiguousarray(tensor, dtype=np.float32)

    def finish(self) -> None:
        """Raise ArtifactError for a tensor that nobody took: it would silently not count."""
        if self._left:
            raise self.artifact.fail(f"tensors.{min(self._left)}", "has no meaning in this kind")


def score_threshold(artifact: Artifact) -> float:
    """The manifest's `thresholds.score`; ArtifactError unless it lies in (0, 1]."""
    threshold = artifact.manifest.thresholds.get("score")
    if threshold is None or not 0 < threshold <= 1:
        raise artifact.fail("thresholds.score", f"expected a number in (0, 1], found {threshold}")
    return threshold


def logistic(logits: Array) -> Scores:
    """1 / (1 + exp(-x)) without overflow, float32."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * logits)), dtype=np.float32)


def log_odds(probability: float) -> float:
    """log(p / (1 - p)), bounded by `MOST_LOG_ODDS`."""
    odds = probability / max(1.0 - probability, 1e-12)
    return float(np.clip(np.log(odds), -MOST_LOG_ODDS, MOST_LOG_ODDS))


def _fits(found: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    return len(found) == len(wanted) and all(
        size > 0 and side in (None, size) for size, side in zip(found, wanted, strict=True)
    )
