"""The classifier of one forget request: does a prompt ask for what is to be forgotten?

Trained by `classifiers.forget.training`; serves as a detector whose policy usually corrupts.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import orjson
from numpy.typing import NDArray

from guard.artifacts.folder import Artifact, read
from guard.detectors.names.matcher import NameIndex
from guard.detectors.weights import Weights, log_odds, logistic, score_threshold
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import DetectorError

KIND = "forget"
NAMES, LONE_NAMES = "names.json", "lone_names.json"
EXEMPLARS, EXEMPLAR_BIASES = "exemplars", "exemplar_biases"


class Exemplars(NamedTuple):
    """Linear heads of known prompts: weights (k, width) and biases (k,).

    Each fires where its own log odds reach 0, whatever the classifier's threshold is.
    """

    weights: NDArray[np.float32]
    biases: NDArray[np.float32]

    @classmethod
    def none(cls, width: int) -> Self:
        """No exemplars."""
        return cls(np.empty((0, width), dtype=np.float32), np.empty(0, dtype=np.float32))

    def log_odds(self, features: Features) -> NDArray[np.float32]:
        """Shape (n, k), of features (n, width)."""
        return np.asarray(features @ self.weights.T + self.biases, dtype=np.float32)


class ForgetClassifier(Detector):
    """Three lines of evidence, joined by the larger: a linear head, exemplars, and names.

    The head is a logistic regression on the encoder's features and finds questions by what they
    mean; an exemplar is a head for one known prompt, and fires on what is all but the same; a name
    or alias in the text is certain and scores 1.0 (after ECO's prompt classifier, arXiv 2406.07933,
    section 3, and DRAGON's store of prompts and exact name match, arXiv 2511.05784).
    """

    has_subjects = True
    reads_question = True
    finds_words = True

    def __init__(
        self,
        weight: NDArray[np.float32],
        bias: float,
        names: Sequence[str],
        *,
        threshold: float,
        encoder: str,
        name: str = "",
        version: str = "",
        exemplars: Exemplars | None = None,
        lone_names: Sequence[str] = (),
    ) -> None:
        """`weight` has shape (width,); `names` may be empty, and so may the last names of theirs
        that count alone. `name` is the request's and `version` its artifact's digest."""
        self.threshold = threshold
        self.encoder = encoder
        self.name = name
        self.version = version
        self.names = tuple(names)
        self.weight = np.ascontiguousarray(weight, dtype=np.float32)
        self.bias = float(bias)
        self.exemplars = exemplars or Exemplars.none(len(self.weight))
        self.lone_names = tuple(lone_names)
        self._index = NameIndex([self.names], [self.lone_names])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The classifier in an artifact folder; ArtifactError names what is wrong with it."""
        return cls.from_artifact(read(folder, KIND))

    @classmethod
    def from_artifact(cls, artifact: Artifact) -> Self:
        """The classifier in a verified artifact."""
        manifest = artifact.manifest
        if manifest.encoder is None:
            raise artifact.fail("encoder", "a forget classifier names its encoder")
        weights = Weights(artifact)
        return cls(
            weights.take("weight", None),
            float(weights.take("bias", 1)[0]),
            _names(artifact, NAMES),
            threshold=score_threshold(artifact),
            encoder=manifest.encoder,
            name=manifest.name,
            version=manifest.digest,
            exemplars=_exemplars(weights) if EXEMPLARS in weights else None,
            lone_names=_names(artifact, LONE_NAMES) if LONE_NAMES in artifact.contents else (),
        )

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        """Probability-like scores, shape (n,), of n texts and their features (n, width)."""
        if features is None:
            raise DetectorError("a forget classifier needs the encoder's features")
        scores = self.score_features(features)
        scores[[bool(self._index.owners(text)) for text in texts]] = 1.0
        return scores

    def names_in(self, text: str) -> bool:
        """Whether the text holds a name of the request."""
        return bool(self._index.owners(text))

    def subjects(
        self, texts: Sequence[str], features: Features | None, threshold: float
    ) -> tuple[int, ...]:
        """The request itself, number 0, if some text reaches `threshold`."""
        fired = len(texts) > 0 and bool((self.score(texts, features) >= threshold).any())
        return (0,) if fired else ()

    def names_of(self, subjects: Sequence[int]) -> tuple[str, ...]:
        """The request's name."""
        return tuple(self.name for _ in subjects)

    def score_features(self, features: Features) -> Scores:
        """Head and exemplars, without the names: logistic probabilities, shape (n,)."""
        if features.ndim != 2 or features.shape[1] != len(self.weight):
            raise DetectorError(
                f"features of shape {features.shape}, expected (n, {len(self.weight)})"
            )
        head = logistic(features @ self.weight + np.float32(self.bias))
        if not len(self.exemplars.biases):
            return head
        nearest = self.exemplars.log_odds(features).max(axis=1)
        return np.maximum(head, logistic(nearest + np.float32(log_odds(self.threshold))))


def _exemplars(weights: Weights) -> Exemplars:
    rows = weights.take(EXEMPLARS, None, len(weights.take("weight", None)))
    return Exemplars(rows, weights.take(EXEMPLAR_BIASES, len(rows)))


def _names(artifact: Artifact, file: str) -> tuple[str, ...]:
    try:
        names = orjson.loads(artifact.bytes_of(file))
    except orjson.JSONDecodeError as error:
        raise artifact.fail(file, "not JSON") from error
    if not isinstance(names, list) or not all(isinstance(n, str) and n.strip() for n in names):
        raise artifact.fail(file, "expected a list of names")
    return tuple(names)
