"""The gate's statistics: bounds of rates, and paired comparisons that noise does not decide."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.malicious.gate.evaluation_set import Mask
from guard.terms.detector import Scores

RESAMPLES = 500

Counts = NDArray[np.float32]
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Check:
    """One number of the candidate against its limit; `sentence` names both."""

    name: str
    passed: bool
    sentence: str
    value: float
    limit: float
    in_service: float | None = None

    def report(self) -> dict[str, JsonValue]:
        """What a report keeps."""
        return {
            "name": self.name,
            "passed": self.passed,
            "sentence": self.sentence,
            "value": self.value,
            "limit": self.limit,
            "in_service": self.in_service,
        }


@dataclass(frozen=True, slots=True)
class Margin:
    """How much worse a candidate may measure, and how much worse it may possibly be."""

    allowed: float
    possible: float
    confidence: float


def rate_bounds(events: int, rows: int, confidence: float) -> tuple[float, float]:
    """One-sided Clopper-Pearson bounds (1934) of a rate, each with that confidence."""
    from scipy.stats import beta

    lower = beta.ppf(1 - confidence, events, rows - events + 1) if events else 0.0
    upper = beta.ppf(confidence, events + 1, rows - events) if events < rows else 1.0
    return float(lower), float(upper)


def resamples(groups: Sequence[Mask], rng: np.random.Generator, count: int = RESAMPLES) -> Counts:
    """Bootstrap counts of each row, shape (count, n): every group is resampled by itself."""
    drawn = np.zeros((count, len(groups[0])), dtype=np.float32)
    for group in groups:
        rows = np.flatnonzero(group)
        if len(rows):
            drawn[:, rows] = rng.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), count)
    return drawn


def aurocs(scores: Scores, malicious: Mask, benign: Mask, counts: Counts) -> Values:
    """Area under the ROC curve for each row of `counts` (m, n), ties counted half; shape (m,)."""
    values, place = np.unique(scores, return_inverse=True)
    weights = [_by_value(counts, place, group, len(values)) for group in (malicious, benign)]
    below = np.cumsum(weights[1], axis=1) - weights[1] / 2
    pairs = weights[0].sum(axis=1) * weights[1].sum(axis=1)
    return np.asarray((weights[0] * below).sum(axis=1) / np.maximum(pairs, 1))


def _by_value(counts: Counts, place: NDArray[np.int_], group: Mask, values: int) -> Values:
    """How often each distinct score is drawn in a group, shape (m, values)."""
    found = np.zeros((len(counts), values))
    rows = np.flatnonzero(group)
    rows = rows[np.argsort(place[rows], kind="stable")]
    distinct, starts = np.unique(place[rows], return_index=True)
    found[:, distinct] = np.add.reduceat(counts[:, rows], starts, axis=1)
    return found


def rates(fired: Mask, group: Mask, counts: Counts) -> Values:
    """The share of a group's rows that fired, for each row of `counts`; shape (m,)."""
    chosen = counts[:, group].astype(np.float64)
    return np.asarray(chosen @ fired[group] / np.maximum(chosen.sum(axis=1), 1))


def compare(
    name: str,
    candidate: float,
    in_service: float,
    losses: Values,
    margin: Margin,
    *,
    lower_is_better: bool = False,
) -> Check:
    """Whether a candidate is no worse, from its number, the other's and the resampled losses (m,).

    It is worse when it loses more than is allowed and that is no accident (the resampled losses
    lie above 0 with the margin's confidence). It is refused as well when it may possibly lose more
    than `possible`: the gate set is then too small to say.
    """
    loss = candidate - in_service if lower_is_better else in_service - candidate
    low, high = np.quantile(losses, [1 - margin.confidence, margin.confidence])
    worse = loss > margin.allowed and low > 0
    unsure = high > margin.possible
    change = "rise" if lower_is_better else "drop"
    sentence = (
        f"{name} {candidate:.3f}, in service {in_service:.3f}, allowed {change} {margin.allowed:g}"
    )
    if unsure and not worse:
        sentence += f"; the {change} may be as large as {high:.3f}, allowed {margin.possible:g}"
    limit = in_service + margin.allowed * (1 if lower_is_better else -1)
    return Check(name, not (worse or unsure), sentence, candidate, limit, in_service)
