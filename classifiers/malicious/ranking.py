"""How well scores rank malicious rows above benign ones, with standard errors and refusals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.training_set import Labels
from guard.errors import ConfigError

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
    from scipy.stats import rankdata

    positives = int((labels == 1).sum())
    negatives = len(labels) - positives
    if not positives or not negatives:
        return 0.5
    ranks = rankdata(scores)
    above = ranks[labels == 1].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def tpr_at_fpr(scores: Ranks, labels: Labels, rate: float) -> float:
    """Recall at the lowest threshold whose false-positive rate is at most `rate`."""
    benign = np.sort(scores[labels != 1])[::-1]
    allowed = int(np.floor(rate * len(benign) + 1e-9))
    if allowed >= len(benign):
        return 1.0
    return float((scores[labels == 1] > benign[allowed]).mean())


def partial_auroc(scores: Ranks, labels: Labels, rate: float) -> float:
    """Mean recall over false-positive rates 0..rate, so 1 is perfect."""
    benign = np.sort(scores[labels != 1])[::-1]
    worst = benign[: max(1, int(np.floor(rate * len(benign))))]
    malicious = scores[labels == 1]
    wins = malicious[:, None] > worst[None, :]
    ties = malicious[:, None] == worst[None, :]
    return float((wins + ties / 2).mean())


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
            f"error {error:.3f}), so malicious prompts rank below benign ones; give "
            "malicious seeds and use mode `contrastive`"
        )
    return Orientation(found, error)
