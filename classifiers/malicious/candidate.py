"""What a mode fitted, on its way to an artifact: scores of held-out prompts, and a threshold.

The threshold comes from trusted benign prompts that nothing learned from, by the Neyman-Pearson
order statistic (Tong, Feng, Li 2018) where they are enough for rate and confidence.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import JsonValue

from classifiers.malicious.calibration import kept_scores
from classifiers.malicious.data.training_set import Diagnostic
from classifiers.malicious.gate.trigger_scan import Model
from classifiers.statistics.thresholds import Threshold, choose_threshold
from guard.artifacts.folder import Artifact
from guard.artifacts.manifest import DataSource
from guard.detectors.calibration import Calibration
from guard.terms.detector import Scores
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Release:
    """What an artifact says of itself: name, recipe, metrics, `report.json`, `report.html`, data.

    `seed` draws the samples of scores that are kept.
    """

    name: str
    recipe: Mapping[str, JsonValue]
    metrics: Mapping[str, float]
    report: Mapping[str, JsonValue]
    page: bytes
    data: Mapping[str, DataSource]
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(ABC):
    """What a mode made: the scaled scores of each measuring part, and what fires.

    `seconds` is how long fitting took.
    """

    mode: str
    scores: Mapping[str, Scores]
    threshold: Threshold
    diagnostics: Mapping[str, Diagnostic]
    seconds: float

    def kept(self, seed: int) -> Calibration:
        """The samples that serving compares scores with.

        One seed always draws the same ones, so that report and artifact hold the same.
        """
        rng = np.random.default_rng([seed, 7])
        return Calibration(
            kept_scores(self.scores["calibration"], rng),
            kept_scores(self.scores["malicious_calibration"], rng),
        )

    @abstractmethod
    def served(self) -> Model:
        """As the gate asks it: a scorer of texts, and what fires."""

    def traffic_scores(self) -> Scores | None:
        """Of the unlabelled prompts, where they are at hand; None has the gate do without."""
        return None

    @abstractmethod
    def write(self, out: Path, release: Release) -> Artifact:
        """The artifact in the folder `out`."""


def usable_threshold(benign: Scores, fpr: float, confidence: float) -> Threshold:
    """The threshold from benign scores; ConfigError where it would lie above every score."""
    threshold = choose_threshold(benign, fpr, confidence)
    if not 0 < threshold.value <= 1:
        raise ConfigError(
            f"fpr: no threshold keeps the false-positive rate of {fpr:g}: benign prompts reach "
            "the highest score there is"
        )
    return threshold
