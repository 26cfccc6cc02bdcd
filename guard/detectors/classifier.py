"""A sequence classifier of somebody else's, run here: the artifact of `ecoguard-train import`."""

from collections.abc import Sequence
from typing import Self

import numpy as np

from guard.artifacts.folder import WEIGHTS, Artifact
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.attackers import ATTACKERS
from guard.detectors.stored_thresholds import stored_thresholds
from guard.detectors.weights import Weights
from guard.encoders.devices import CPU, Device
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.detector import Detector, Features, Scores

KIND = "classifier"
CLASSES, UNSAFE, MULTI_LABEL = "classes", "unsafe", "multi_label"
"""Of the recipe: the names of all classes in the graph's order, of the bad ones, and whether each
class has a probability of its own."""


class ImportedClassifier(Detector):
    """Scores a text by the probability of the classes that are bad: added up, or the highest.

    Reads at most `window_tokens` tokens of a text, so pieces are cut by `windows` first. Safe to
    share between threads.
    """

    authors = ATTACKERS

    def __init__(self, tower: OnnxEncoder, unsafe: Sequence[int], *, multi_label: bool) -> None:
        """`tower` gives the probabilities of all classes, `unsafe` are the bad ones' numbers."""
        self.version = tower.digest
        self.window_tokens: int = tower.window_tokens
        self._tower = tower
        self._unsafe = list(unsafe)
        self._multi_label = multi_label

    @classmethod
    def from_artifact(cls, artifact: Artifact, *, threads: int = 1, device: Device = CPU) -> Self:
        """The classifier in a verified artifact; ArtifactError names what is wrong with it."""
        thresholds = stored_thresholds(artifact)
        classes, unsafe = _names(artifact, CLASSES), _names(artifact, UNSAFE)
        tower = OnnxEncoder(artifact, threads, device)
        if tower.width != len(classes):
            raise artifact.fail(f"recipe.{CLASSES}", f"{tower.width} are expected")
        if unknown := [name for name in unsafe if name not in classes]:
            raise artifact.fail(f"recipe.{UNSAFE}", f"no class '{unknown[0]}'")
        multi_label = bool(artifact.recipe_value(MULTI_LABEL, bool))
        found = cls(tower, [classes.index(name) for name in unsafe], multi_label=multi_label)
        found.threshold = thresholds.lowest
        found.thresholds = thresholds if thresholds.vary else None
        if WEIGHTS in artifact.contents:
            weights = Weights(artifact)
            found.calibration = Calibration.from_weights(weights)
            weights.finish()
        return found

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        """Character ranges that cover `text`, at most `size` tokens each, cut between words."""
        return self._tower.windows(text, size, stride)

    def score(self, texts: Sequence[str], features: Features | None = None) -> Scores:  # noqa: ARG002
        """Scores in [0, 1], shape (n,), of n texts; features are not read."""
        bad = self._tower.encode(texts)[:, self._unsafe]  # (n, bad classes)
        scores = bad.max(axis=1, initial=0) if self._multi_label else bad.sum(axis=1)
        return np.asarray(np.clip(scores, 0, 1), dtype=np.float32)


def _names(artifact: Artifact, key: str) -> list[str]:
    names = artifact.recipe_value(key, list)
    if not isinstance(names, list) or not names or not all(isinstance(n, str) for n in names):
        raise artifact.fail(f"recipe.{key}", "expected a list of names")
    return [str(name) for name in names]
