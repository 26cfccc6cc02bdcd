"""Nearness to examples as a hidden layer: ReLU units that answer to rows like a prototype.

The contrast of distances of RCS (arXiv 2512.12069: nearness to malicious examples minus nearness to
benign ones) in a form that dense layers serve exactly: no neighbours are searched.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.feature_model import Dense, Member
from classifiers.malicious.modes.directions import Direction
from guard.terms.detector import Features

MOST_PROTOTYPES = 64
QUANTILE = 0.95
"""A unit answers where a row is nearer to its prototype than 95 % of the reference rows."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """Sum over prototypes (m, d) of relu(<x, prototype> - its level), times `slope`, plus
    `offset`; `levels` has shape (m,)."""

    prototypes: NDArray[np.float64]
    levels: NDArray[np.float64]
    slope: float
    offset: float

    def score(self, features: Features) -> NDArray[np.float64]:
        """Standardised nearness, shape (n,)."""
        return self.slope * _answers(features, self.prototypes, self.levels) + self.offset


def fit_nearness(examples: Features, reference: Features, seed: int) -> Nearness:
    """Nearness to the examples (their cluster centres where they are many), with mean 0 and
    standard deviation 1 on the reference rows (n, d)."""
    prototypes = _prototypes(examples, seed)
    levels = np.quantile(reference @ prototypes.T, QUANTILE, axis=0)
    answers = _answers(reference, prototypes, levels)
    slope = 1 / max(float(answers.std()), 1e-12)
    return Nearness(prototypes, levels, slope, -slope * float(answers.mean()))


def as_member(direction: Direction, parts: list[tuple[Nearness, float]]) -> Member:
    """Two dense layers whose logit is the direction's score plus each share times a nearness."""
    # w x is relu(w x) - relu(-w x): two units carry the direction through the hidden layer, and
    # each prototype has a unit of its own, relu(<x, p> - level).
    weights = [direction.weight[None, :], -direction.weight[None, :]]
    biases = [np.array([direction.bias]), np.array([-direction.bias])]
    outputs = [np.array([1.0, -1.0])]
    offset = 0.0
    for nearness, share in parts:
        count = len(nearness.prototypes)
        weights.append(nearness.prototypes)
        biases.append(-nearness.levels)
        outputs.append(np.full(count, share * nearness.slope))
        offset += share * nearness.offset
    return (
        Dense(np.concatenate(weights).astype(np.float32), np.concatenate(biases, dtype=np.float32)),
        Dense(np.concatenate(outputs)[None, :].astype(np.float32), np.array([offset], np.float32)),
    )


def _answers(
    features: Features, prototypes: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    near = np.maximum(features @ prototypes.T - levels, 0)  # (n, m)
    return np.asarray(near.sum(axis=1), dtype=np.float64)


def _prototypes(examples: Features, seed: int) -> NDArray[np.float64]:
    """At most MOST_PROTOTYPES points, as long as the examples are on average."""
    rows = np.asarray(examples, dtype=np.float64)
    if len(rows) > MOST_PROTOTYPES:
        from sklearn.cluster import KMeans

        model = KMeans(MOST_PROTOTYPES, n_init=1, random_state=seed).fit(rows)
        # A centre is shorter than its members; at their length the dot products compare.
        length = np.linalg.norm(rows, axis=1).mean()
        rows = np.asarray(model.cluster_centers_, dtype=np.float64)
        rows = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12) * length
    return rows
