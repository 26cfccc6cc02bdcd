"""Many forget requests as one detector: one matrix product, and one pass over all their names.

Each request has its own head and its own threshold, trained apart from all others. Here a head's
bias is lowered by the threshold's log odds, so that a request fires at a score of 0.5 whatever its
threshold was: one common threshold serves all, and a score is the highest over the requests. A
request's name in the text scores 1. Adding or withdrawing a request changes no other's scores.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from guard.artifacts import Artifact
from guard.detectors.contract import Features, Scores
from guard.detectors.forget import ForgetClassifier
from guard.detectors.names import NameIndex
from guard.detectors.weights import logistic
from guard.errors import DetectorError

THRESHOLD = 0.5
MOST_LOG_ODDS = 17.0
"""Beyond this a float32 probability is 1: where the head of a request with threshold 1 fires."""


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """One request in service: its name, its artifact's digest, names, and shifted linear head."""

    name: str
    digest: str
    names: tuple[str, ...]
    weight: NDArray[np.float32]
    bias: float

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """The request in a verified artifact of kind `forget`."""
        classifier = ForgetClassifier.from_artifact(artifact)
        return cls(
            artifact.manifest.name,
            artifact.manifest.digest,
            classifier.names,
            classifier.weight,
            classifier.bias - log_odds(classifier.threshold),
        )


class RequestSet:
    """Forget requests in service at one moment; never changes."""

    threshold: float = THRESHOLD

    def __init__(self, requests: Iterable[ForgetRequest], *, encoder: str, width: int) -> None:
        """`encoder` is the digest of the encoder in service and `width` that of its features.

        There may be no requests: then nothing fires.
        """
        self.encoder: str | None = encoder
        self.requests = tuple(sorted(requests, key=lambda request: (request.name, request.digest)))
        self.version = _version(encoder, self.requests)
        count = len(self.requests)
        self._weights = np.empty((count, width), dtype=np.float32)
        for row, request in enumerate(self.requests):
            self._weights[row] = request.weight
        self._biases = np.array([request.bias for request in self.requests], dtype=np.float32)
        self._names = NameIndex([request.names for request in self.requests])

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        """The highest score over all requests, shape (n,), of n texts and their features."""
        if not self.requests:
            return np.zeros(len(texts), dtype=np.float32)
        scores = logistic(self._logits(features).max(axis=1))
        for row, text in enumerate(texts):
            if self._names.owners(text):
                scores[row] = 1.0
        return scores

    def subjects(
        self, texts: Sequence[str], features: Features | None, threshold: float
    ) -> tuple[int, ...]:
        """The requests that some text reaches `threshold` for: indices into `requests`."""
        if not self.requests or not texts:
            return ()
        fired = logistic(self._logits(features)) >= threshold
        found = set(np.flatnonzero(fired.any(axis=0)).tolist())
        found.update(*(self._names.owners(text) for text in texts))
        return tuple(sorted(found))

    def names_of(self, subjects: Sequence[int]) -> tuple[str, ...]:
        """The names of requests by their indices, each once, sorted."""
        return tuple(sorted({self.requests[index].name for index in subjects}))

    def _logits(self, features: Features | None) -> NDArray[np.float32]:
        """Shifted log odds, shape (n, number of requests)."""
        if features is None:
            raise DetectorError("forget requests need the encoder's features")
        if features.ndim != 2 or features.shape[1] != self._weights.shape[1]:
            raise DetectorError(
                f"features of shape {features.shape}, expected (n, {self._weights.shape[1]})"
            )
        return np.asarray(features @ self._weights.T + self._biases, dtype=np.float32)


def log_odds(probability: float) -> float:
    """log(p / (1 - p)), bounded by `MOST_LOG_ODDS`."""
    odds = probability / max(1.0 - probability, 1e-12)
    return float(np.clip(np.log(odds), -MOST_LOG_ODDS, MOST_LOG_ODDS))


def _version(encoder: str, requests: Sequence[ForgetRequest]) -> str:
    digest = hashlib.sha256(encoder.encode())
    for request in requests:
        digest.update(b"\0".join((b"", request.digest.encode(), request.name.encode())))
    return digest.hexdigest()
