"""Weighted logistic directions: the linear scores that the modes are made of."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.data.training_set import Labels
from guard.terms.detector import Features

Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Direction:
    """A linear score of rows (n, d): rows @ weight + bias."""

    weight: NDArray[np.float64]
    bias: float

    def score(self, features: Features) -> NDArray[np.float64]:
        """Scores, shape (n,)."""
        return np.asarray(features @ self.weight + self.bias, dtype=np.float64)

    def standardised(self, reference: Features) -> "Direction":
        """The same ranking, with mean 0 and standard deviation 1 on the reference rows."""
        scores = self.score(reference)
        scale = max(float(scores.std()), 1e-12)
        return Direction(self.weight / scale, (self.bias - float(scores.mean())) / scale)

    def plus(self, other: "Direction", share: float = 1.0) -> "Direction":
        """This score and `share` times another."""
        return Direction(self.weight + share * other.weight, self.bias + share * other.bias)


def fit_direction(
    features: Features, labels: Labels, weights: Weights, strength: float
) -> Direction:
    """Logistic regression with row weights (n,), both classes counting as half of all rows.

    `strength` is the inverse regularisation (C) for rows whose mean length is 1: other lengths
    are scaled to that, so that it means the same for every encoder.
    """
    from sklearn.linear_model import LogisticRegression

    # Rows are scaled to mean length 1 for the fit, and the weight back: w'(s x) = (s w') x.
    scale = 1 / max(float(np.linalg.norm(features, axis=1).mean()), 1e-12)
    balanced = np.empty(len(labels), dtype=np.float64)
    for label in (0, 1):
        rows = labels == label
        # Each class sums to n / 2, so that the mean weight is 1 and C means what it says.
        balanced[rows] = weights[rows] * len(labels) / (2 * weights[rows].sum())
    model = LogisticRegression(C=strength, max_iter=500)
    model.fit(features * scale, labels, sample_weight=balanced)
    return Direction(model.coef_[0].astype(np.float64) * scale, float(model.intercept_[0]))


def even_weights(sources: tuple[str, ...] | list[str]) -> Weights:
    """Row weights that sum to 1 and count every source alike."""
    names, where, counts = np.unique(sources, return_inverse=True, return_counts=True)
    return np.asarray(1 / (len(names) * counts[where]), dtype=np.float64)
