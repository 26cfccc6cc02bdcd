"""Logistic heads on frozen features: fitting, and out-of-fold scores by grouped folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guard.detectors.weights import logistic
from guard.terms.detector import Features, Scores

FOLDS = 5

MOST_LOSS = 16.0
"""Nats that a single row may cost."""

Labels = NDArray[np.int_]
Taught = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Head:
    """A linear head: weight (width,), bias, and the inverse regularisation it was fitted with."""

    weight: NDArray[np.float32]
    bias: float
    strength: float

    def score(self, features: Features) -> Scores:
        """Logistic probabilities, shape (n,)."""
        return logistic(self.log_odds(features))

    def log_odds(self, features: Features) -> Scores:
        """Log odds, shape (n,)."""
        return np.asarray(features @ self.weight + np.float32(self.bias), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class FoldScores:
    """Log odds (n,) of each row by the head that did not see its group, and each row's fold."""

    log_odds: Scores
    folds: NDArray[np.int_]
    strength: float


def fit_head(features: Features, labels: Labels, strength: float) -> Head:
    """Logistic regression with both classes weighted alike (N / N_c, as in ECO)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    model.fit(features, labels)
    return Head(model.coef_[0].astype(np.float32), float(model.intercept_[0]), strength)


def cross_validate(
    features: Features,
    labels: Labels,
    groups: Sequence[str],
    strengths: Sequence[float],
    taught: Taught | None = None,
) -> FoldScores:
    """Out-of-fold log odds at the strength with the lowest balanced log loss.

    Of rows outside `taught` none is learned from and none counts in the loss.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    folds = np.empty(len(labels), dtype=np.int_)
    for number, (_, held_out) in enumerate(splitter.split(features, labels, list(groups))):
        folds[held_out] = number
    taught = np.ones(len(labels), dtype=np.bool_) if taught is None else taught
    tried = {c: _out_of_fold(features, labels, folds, taught, c) for c in strengths}
    best = min(tried, key=lambda c: balanced_log_loss(tried[c][taught], labels[taught]))
    return FoldScores(tried[best], folds, best)


def _out_of_fold(
    features: Features,
    labels: Labels,
    folds: NDArray[np.int_],
    taught: Taught,
    strength: float,
) -> Scores:
    scores = np.empty(len(labels), dtype=np.float32)
    for number in np.unique(folds):
        held_out = folds == number
        learned = taught & ~held_out
        head = fit_head(features[learned], labels[learned], strength)
        scores[held_out] = head.log_odds(features[held_out])
    return scores


def balanced_log_loss(log_odds: Scores, labels: Labels) -> float:
    """Mean of the two classes' mean log losses, in nats."""
    signed = np.where(labels == 1, -log_odds, log_odds).astype(np.float64)
    losses = np.minimum(np.logaddexp(0, signed), MOST_LOSS)
    return float(np.mean([losses[labels == label].mean() for label in (0, 1)]))
