"""Many forget requests as one detector: one matrix product, and one pass over all their names.

Each request has its own heads and its own threshold, trained apart from all others. Here a head's
bias is lowered by the threshold's log odds, so that a request fires at a score of 0.5 whatever its
threshold was: one common threshold serves all, and a score is the highest over all heads. A
request's name in the text scores 1. Adding or withdrawing a request changes no other's scores.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from guard.artifacts.folder import Artifact
from guard.detectors.forget.detector import ForgetClassifier
from guard.detectors.names.matcher import NameIndex
from guard.detectors.weights import log_odds, logistic
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import DetectorError

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class ForgetRequest:
    """One request in service: its name, its artifact's digest, names, and linear heads.

    `weights` (k, width) and `biases` (k,) are the shifted head and the exemplars: log odds, each of
    which fires at 0.
    """

    name: str
    digest: str
    names: tuple[str, ...]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    lone_names: tuple[str, ...] = ()

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """The request in a verified artifact of kind `forget`."""
        classifier = ForgetClassifier.from_artifact(artifact)
        shifted = classifier.bias - log_odds(classifier.threshold)
        exemplars = classifier.exemplars
        return cls(
            artifact.manifest.name,
            artifact.manifest.digest,
            classifier.names,
            np.concatenate([classifier.weight[None, :], exemplars.weights]),
            np.concatenate([np.array([shifted], dtype=np.float32), exemplars.biases]),
            classifier.lone_names,
        )


class RequestSet(Detector):
    """Forget requests in service at one moment; never changes."""

    threshold = THRESHOLD
    has_subjects = True
    reads_question = True
    finds_words = True

    def __init__(self, requests: Iterable[ForgetRequest], *, encoder: str, width: int) -> None:
        """`encoder` is the digest of the encoder in service and `width` that of its features.

        There may be no requests: then nothing fires.
        """
        self.encoder = encoder
        self.requests = tuple(sorted(requests, key=lambda request: (request.name, request.digest)))
        self.version = _version(encoder, self.requests)
        counts = [len(request.biases) for request in self.requests]
        self._owners = np.repeat(np.arange(len(counts)), counts)
        self._weights = np.empty((sum(counts), width), dtype=np.float32)
        self._biases = np.empty(sum(counts), dtype=np.float32)
        for request, end in zip(self.requests, np.cumsum(counts), strict=True):
            rows = slice(end - len(request.biases), end)
            self._weights[rows], self._biases[rows] = request.weights, request.biases
        self._names = NameIndex(
            [request.names for request in self.requests],
            [request.lone_names for request in self.requests],
        )

    @property
    def heads(self) -> NDArray[np.float32]:
        """The weights of all heads, shape (number of heads, width)."""
        return self._weights

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        """The highest score over all requests, shape (n,), of n texts and their features."""
        if not self.requests:
            return np.zeros(len(texts), dtype=np.float32)
        scores = logistic(self._logits(features).max(axis=1))
        for row, text in enumerate(texts):
            if self._names.owners(text):
                scores[row] = 1.0
        return scores

    def names_in(self, text: str) -> bool:
        """Whether the text holds a name of some request."""
        return bool(self._names.owners(text))

    def subjects(
        self, texts: Sequence[str], features: Features | None, threshold: float
    ) -> tuple[int, ...]:
        """The requests that some text reaches `threshold` for: indices into `requests`."""
        if not self.requests or not texts:
            return ()
        fired = logistic(self._logits(features)) >= threshold
        found = set(self._owners[fired.any(axis=0)].tolist())
        found.update(*(self._names.owners(text) for text in texts))
        return tuple(sorted(found))

    def names_of(self, subjects: Sequence[int]) -> tuple[str, ...]:
        """The names of requests by their indices, each once, sorted."""
        return tuple(sorted({self.requests[index].name for index in subjects}))

    def _logits(self, features: Features | None) -> NDArray[np.float32]:
        """Log odds of every head, shape (n, number of heads)."""
        if features is None:
            raise DetectorError("forget requests need the encoder's features")
        if features.ndim != 2 or features.shape[1] != self._weights.shape[1]:
            raise DetectorError(
                f"features of shape {features.shape}, expected (n, {self._weights.shape[1]})"
            )
        return np.asarray(features @ self._weights.T + self._biases, dtype=np.float32)


def _version(encoder: str, requests: Sequence[ForgetRequest]) -> str:
    digest = hashlib.sha256(encoder.encode())
    for request in requests:
        digest.update(b"\0".join((b"", request.digest.encode(), request.name.encode())))
    return digest.hexdigest()
