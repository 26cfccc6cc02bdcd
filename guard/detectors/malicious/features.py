"""The classifier of malicious prompts on the shared encoder's features.

Trained by `classifiers.malicious`; serves as a detector whose policy usually blocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from guard.artifacts.folder import Artifact, read
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.attackers import ATTACKERS
from guard.detectors.stored_thresholds import stored_thresholds
from guard.detectors.weights import Array, Weights, logistic
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import DetectorError
from guard.terms.thresholds import Thresholds

KIND = "malicious"


class Dense(NamedTuple):
    """A dense layer: weight (out, in) and bias (out,)."""

    weight: Array
    bias: Array


Member = tuple[Dense, ...]
"""Dense layers with ReLU between them; the last gives one logit, or two whose difference counts."""


@dataclass(frozen=True, slots=True)
class Preparation:
    """What happens to features (n, d) before the members see them (n, d').

    Rows become `(x - mean) @ whitening` and are then scaled down to length `norm_clip` where they
    are longer, so that one strange direction cannot outvote the rest; a step whose value is None
    is left out.
    """

    mean: Array | None = None
    whitening: Array | None = None
    norm_clip: float | None = None

    def apply(self, features: Features) -> Features:
        """The prepared rows, float32."""
        rows = np.asarray(features, dtype=np.float32)
        if self.mean is not None:
            rows = rows - self.mean
        if self.whitening is not None:
            rows = rows @ self.whitening
        return rows if self.norm_clip is None else _clipped(rows, self.norm_clip)


class MaliciousClassifier(Detector):
    """Members that vote: the score is the logistic of the median of their logits.

    Each member was trained on another part of the prompts, so that what poisons one part sways
    one vote (partition aggregation: Levine and Feizi, arXiv 2006.14768).
    """

    authors = ATTACKERS

    def __init__(
        self,
        members: Sequence[Member],
        *,
        threshold: float,
        thresholds: Thresholds | None = None,
        encoder: str,
        preparation: Preparation | None = None,
        calibration: Calibration | None = None,
        version: str = "",
    ) -> None:
        """`encoder` is the digest of the encoder whose features the members read, `version` the
        artifact's own."""
        if not members:
            raise ValueError("members: at least one must vote")
        self.threshold = threshold
        self.thresholds = thresholds
        self.encoder = encoder
        self.version = version
        self.calibration: Calibration | None = calibration
        self.width = _width(members[0], preparation or Preparation())
        self._members = tuple(members)
        self._preparation = preparation or Preparation()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The classifier in an artifact folder; ArtifactError names what is wrong with it."""
        return cls.from_artifact(read(folder, KIND))

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """The classifier in a verified artifact."""
        if artifact.manifest.encoder is None:
            raise artifact.fail("encoder", "a classifier of features names its encoder")
        thresholds = stored_thresholds(artifact)
        weights = Weights(artifact)
        preparation, width = _preparation(weights)
        members = _members(weights, width)
        calibration = Calibration.from_weights(weights)
        weights.finish()
        return cls(
            members,
            threshold=thresholds.lowest,
            thresholds=thresholds if thresholds.vary else None,
            encoder=artifact.manifest.encoder,
            preparation=preparation,
            calibration=calibration,
            version=artifact.manifest.digest,
        )

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        """Scores in [0, 1], shape (n,), from features (n, width); the texts are not read."""
        if features is None:
            raise DetectorError("a classifier of features needs the encoder")
        return logistic(self.logits(features))

    def logits(self, features: Features) -> Scores:
        """Log odds of malicious, shape (n,): the median over the members."""
        if features.ndim != 2 or features.shape[1] != self.width:
            raise DetectorError(f"features of shape {features.shape}, expected (n, {self.width})")
        rows = self._preparation.apply(features)
        votes = np.stack([_vote(member, rows) for member in self._members])
        return np.median(votes, axis=0).astype(np.float32)


def _vote(member: Member, rows: Features) -> Scores:
    for layer in member[:-1]:
        rows = np.maximum(rows @ layer.weight.T + layer.bias, 0)
    out = rows @ member[-1].weight.T + member[-1].bias
    vote: Scores = out[:, 1] - out[:, 0] if out.shape[1] == 2 else out[:, 0]
    return vote


def _clipped(rows: Features, longest: float) -> Features:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows * np.minimum(1, longest / np.maximum(lengths, 1e-12)), np.float32)


def _width(member: Member, preparation: Preparation) -> int:
    for side in (preparation.mean, preparation.whitening):
        if side is not None:
            return len(side)
    return int(member[0].weight.shape[1])


def _preparation(weights: Weights) -> tuple[Preparation, int | None]:
    """The preparation, and the width that it leaves to the members (None: any)."""
    whitening = weights.take("whitening", None, None) if "whitening" in weights else None
    width = None if whitening is None else whitening.shape[0]
    mean = weights.take("mean", width) if "mean" in weights else None
    clip = float(weights.take("norm_clip", 1)[0]) if "norm_clip" in weights else None
    if clip is not None and clip <= 0:
        raise weights.artifact.fail("tensors.norm_clip", f"expected a length above 0, found {clip}")
    if whitening is not None:
        width = whitening.shape[1]
    elif mean is not None:
        width = len(mean)
    return Preparation(mean, whitening, clip), width


def _members(weights: Weights, width: int | None) -> tuple[Member, ...]:
    members: list[Member] = []
    while not members or f"members.{len(members)}.0.weight" in weights:
        member = _member(weights, f"members.{len(members)}", width)
        width = member[0].weight.shape[1]  # all read the same rows
        members.append(member)
    return tuple(members)


def _member(weights: Weights, name: str, width: int | None) -> Member:
    layers: list[Dense] = []
    while not layers or f"{name}.{len(layers)}.weight" in weights:
        weight = weights.take(f"{name}.{len(layers)}.weight", None, width)
        bias = weights.take(f"{name}.{len(layers)}.bias", len(weight))
        layers.append(Dense(weight, bias))
        width = len(weight)
    if width not in (1, 2):
        last = f"tensors.{name}.{len(layers) - 1}.weight"
        raise weights.artifact.fail(last, f"{width} outputs, expected 1 logit or 2 classes")
    return tuple(layers)
