"""Scores that mean something: scaling to probabilities, what is kept for p-values, reliability.

Scaling is monotone, so it moves no ranking and voids no bound of a threshold; it keeps scores from
piling up at 1, where no threshold could tell them apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.feature_model import Dense, FeatureModel, Member
from guard.terms.detector import Scores

MOST_KEPT = 2000
"""Calibration scores kept of a class; more change a p-value by less than 0.0005."""
LARGEST_LOGIT = 10.0
"""float32 still tells scores apart there: 1 - logistic(10) is 760 of its steps below 1."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """New logit = slope * logit + offset, with slope > 0."""

    slope: float = 1.0
    offset: float = 0.0

    def of(self, logits: Scores) -> Scores:
        """The scaled logits."""
        return (self.slope * logits + self.offset).astype(np.float32)

    def model(self, model: FeatureModel) -> FeatureModel:
        """The model whose logits are scaled: the last layer of each member changes alone."""
        return replace(model, members=tuple(self._member(member) for member in model.members))

    def _member(self, member: Member) -> Member:
        last = member[-1]
        bias = (last.bias * self.slope).astype(np.float32)
        bias[-1] += np.float32(self.offset)  # the one logit, or the class "malicious"
        weight = (last.weight * self.slope).astype(np.float32)
        return (*member[:-1], Dense(weight, bias))


def fit_scaling(benign: Scores, malicious: Scores) -> Scaling:
    """Platt's scaling (1999) of held-out logits, both classes weighted alike.

    Scores are then the probability of malice where half of all prompts are malicious. Targets are
    smoothed as in the paper. Logits are bounded by LARGEST_LOGIT; where a class is missing or the
    logits rank malicious prompts lower, that bound is all that is done.
    """
    from scipy.optimize import minimize

    logits = np.concatenate([benign, malicious]).astype(np.float64)
    if not len(benign) or not len(malicious) or np.mean(malicious) <= np.mean(benign):
        return _bounded(Scaling(), logits)
    spread = float(logits.std()) or 1.0
    # Platt's targets: not 0 and 1 but the posterior means of a rate seen n times.
    targets = np.concatenate(
        [
            np.full(len(benign), 1 / (len(benign) + 2)),
            np.full(len(malicious), (len(malicious) + 1) / (len(malicious) + 2)),
        ]
    )
    weights = np.concatenate(
        [np.full(len(benign), 1 / len(benign)), np.full(len(malicious), 1 / len(malicious))]
    )

    # The slope is searched as exp(a) / spread, so that it stays positive and starts near 1 whatever
    # unit the logits have.
    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = np.exp(parameters[0]) / spread * logits + parameters[1]
        return float(weights @ (np.logaddexp(0, scaled) - targets * scaled))

    found = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return _bounded(Scaling(float(np.exp(found[0])) / spread, float(found[1])), logits)


def _bounded(scaling: Scaling, logits: NDArray[np.float64]) -> Scaling:
    largest = float(np.abs(scaling.slope * logits + scaling.offset).max(initial=0.0))
    if largest <= LARGEST_LOGIT:
        return scaling
    share = LARGEST_LOGIT / largest
    return Scaling(scaling.slope * share, scaling.offset * share)


def kept_scores(scores: Scores, rng: np.random.Generator) -> Scores:
    """At most MOST_KEPT of the scores, sorted: a random sample, so still exchangeable."""
    if len(scores) > MOST_KEPT:
        scores = rng.choice(scores, MOST_KEPT, replace=False)
    return np.sort(scores).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Bin:
    """Scores of a range: their mean, the malicious share (classes weighted alike), their count."""

    score: float
    malicious: float
    rows: int


def reliability(scores: Scores, labels: NDArray[np.int_], bins: int = 10) -> list[Bin]:
    """The reliability diagram over `bins` equal ranges of [0, 1]; empty ranges are left out."""
    weights = balanced_weights(labels)
    places = np.minimum((scores * bins).astype(int), bins - 1)
    found = []
    for place in np.unique(places):
        rows = places == place
        total = float(weights[rows].sum())
        found.append(
            Bin(
                float(weights[rows] @ scores[rows]) / total,
                float(weights[rows] @ labels[rows]) / total,
                int(rows.sum()),
            )
        )
    return found


def calibration_error(scores: Scores, labels: NDArray[np.int_], bins: int = 10) -> float:
    """Expected calibration error over equal ranges, both classes weighted alike."""
    weights = balanced_weights(labels)
    places = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [abs(float(weights[places == p] @ (scores - labels)[places == p])) for p in range(bins)]
    return float(sum(gaps) / weights.sum())


def balanced_weights(labels: NDArray[np.int_] | Sequence[int]) -> NDArray[np.float64]:
    """Row weights that give both classes half of the total of 1."""
    labels = np.asarray(labels)
    positive = int(labels.sum())
    if not 0 < positive < len(labels):
        return np.full(len(labels), 1 / max(1, len(labels)))
    return np.where(labels == 1, 0.5 / positive, 0.5 / (len(labels) - positive))
