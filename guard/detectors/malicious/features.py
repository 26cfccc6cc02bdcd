"""The classifier of malicious prompts on the shared encoder's features.

Trained by `classifiers.malicious`; serves as a detector whose policy usually blocks.
"""

from collections.abc import Sequence
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
        self.width = int(members[0][0].weight.shape[1])
        self._members = tuple(members)

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
        members = _members(weights)
        calibration = Calibration.from_weights(weights)
        weights.finish()
        return cls(
            members,
            threshold=thresholds.lowest,
            thresholds=thresholds if thresholds.vary else None,
            encoder=artifact.manifest.encoder,
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
        rows = np.asarray(features, dtype=np.float32)
        votes = np.stack([_vote(member, rows) for member in self._members])  # (members, n)
        return np.median(votes, axis=0).astype(np.float32)


def _vote(member: Member, rows: Features) -> Scores:
    for layer in member[:-1]:
        rows = np.maximum(rows @ layer.weight.T + layer.bias, 0)
    out = rows @ member[-1].weight.T + member[-1].bias  # (n, 1) or (n, 2)
    vote: Scores = out[:, 1] - out[:, 0] if out.shape[1] == 2 else out[:, 0]
    return vote


def _members(weights: Weights) -> tuple[Member, ...]:
    members: list[Member] = []
    width: int | None = None
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
