"""Logistic heads on frozen features: fitting, and out-of-fold scores by grouped folds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guard.detectors.contract import Features, Scores
from guard.detectors.weights import logistic

FOLDS = 5

Labels = NDArray[np.int_]


@dataclass(frozen=True, slots=True)
class Head:
    """A linear head: weight (width,), bias, and the inverse regularisation it was fitted with."""

    weight: NDArray[np.float32]
    bias: float
    strength: float

    def score(self, features: Features) -> Scores:
        """Logistic probabilities, shape (n,)."""
        return logistic(features @ self.weight + np.float32(self.bias))


@dataclass(frozen=True, slots=True)
class FoldScores:
    """Scores (n,) of each row by the head that did not see its group, and each row's fold."""

    scores: Scores
    folds: NDArray[np.int_]
    strength: float


def fit_head(features: Features, labels: Labels, strength: float) -> Head:
    """Logistic regression with both classes weighted alike (N / N_c, as in ECO)."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    model.fit(features, labels)
    return Head(model.coef_[0].astype(np.float32), float(model.intercept_[0]), strength)


def cross_validate(
    features: Features, labels: Labels, groups: Sequence[str], strengths: Sequence[float]
) -> FoldScores:
    """Out-of-fold scores at the strength with the lowest balanced log loss."""
    from sklearn.model_selection import StratifiedGroupKFold

    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    folds = np.empty(len(labels), dtype=np.int_)
    for number, (_, held_out) in enumerate(splitter.split(features, labels, list(groups))):
        folds[held_out] = number
    tried = {c: _out_of_fold(features, labels, folds, c) for c in strengths}
    best = min(tried, key=lambda c: balanced_log_loss(tried[c], labels))
    return FoldScores(tried[best], folds, best)


def _out_of_fold(
    features: Features, labels: Labels, folds: NDArray[np.int_], strength: float
) -> Scores:
    scores = np.empty(len(labels), dtype=np.float32)
    for number in np.unique(folds):
        held_out = folds == number
        head = fit_head(features[~held_out], labels[~held_out], strength)
        scores[held_out] = head.score(features[held_out])
    return scores


def balanced_log_loss(scores: Scores, labels: Labels) -> float:
    """Mean of the two classes' mean log losses, in nats."""
    clipped = np.clip(scores.astype(np.float64), 1e-7, 1 - 1e-7)
    losses = -np.where(labels == 1, np.log(clipped), np.log1p(-clipped))
    return float(np.mean([losses[labels == label].mean() for label in (0, 1)]))
