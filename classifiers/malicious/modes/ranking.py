"""How well scores rank malicious rows above benign ones, with standard errors and refusals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.data.training_set import Labels
from classifiers.statistics import detection_metrics as metrics
from guard.terms.errors import ConfigError

RESAMPLES = 200

Ranks = NDArray[np.floating]


class OrientationError(ConfigError):
    """The score ranks malicious rows below benign ones, so nothing may be learned from it."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """The AUROC of a score and its bootstrap standard error."""

    auroc: float
    error: float


def auroc(scores: Ranks, labels: Labels) -> float:
    """Area under the ROC curve; 0.5 where a class is missing."""
    malicious, benign = scores[labels == 1], scores[labels != 1]
    return metrics.auroc(malicious, benign) if len(malicious) and len(benign) else 0.5


def check_orientation(
    scores: Ranks, labels: Labels, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Orientation:
    """The AUROC and its bootstrap error, classes resampled apart.

    OrientationError where the AUROC lies below 0.5 by more than two standard errors.
    """
    found = auroc(scores, labels)
    groups = [np.flatnonzero(labels == label) for label in (0, 1)]
    if not all(len(group) for group in groups):
        raise ConfigError("validation: the orientation test needs rows of both classes")
    # The bootstrap draws each class by itself: their shares in validation are no part of the error.
    drawn = [
        auroc(scores[rows], labels[rows])
        for rows in (
            np.concatenate([rng.choice(group, len(group)) for group in groups])
            for _ in range(resamples)
        )
    ]
    error = float(np.std(drawn, ddof=1))
    if found < 0.5 - 2 * error:
        raise OrientationError(
            f"validation: the score is inverted: its AUROC is {found:.3f} (bootstrap standard "
            f"error {error:.3f}), so malicious prompts rank below benign ones; a "
            "mode that takes malicious seeds may tell them apart"
        )
    return Orientation(found, error)
