"""Distils a detector's first stage: a linear model of n-grams that learns its log odds of windows.

The pass mark is an order statistic of attacks that fire: each is judged by a first stage that has
learned from none of its group, as new sources will be. Of n such attacks, exchangeable with a new
one, at most the share asked for is not passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.malicious.calibration import Scaling
from classifiers.malicious.fine_tuning.lexical import ngram_matrix
from classifiers.statistics.thresholds import threshold_at_fnr

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]
BUCKETS = 1 << 18
PENALTY = 0.3
"""Of ridge regression."""
FARTHEST = 6.0
"""Log odds beyond which it does not matter how high or low a window is."""
MOST_ROUNDS = 200


@dataclass(frozen=True, slots=True)
class FirstStageModel:
    """A weight per bucket, (buckets,), what is added to the log odds, and the pass mark."""

    table: Floats
    bias: float
    mark: float

    def scaled(self, scaling: Scaling) -> "FirstStageModel":
        """Of a detector whose logit is scaled so."""
        table = (self.table * scaling.slope).astype(np.float32)
        bias, mark = (scaling.slope * end + scaling.offset for end in (self.bias, self.mark))
        return FirstStageModel(table, bias, mark)


@dataclass(frozen=True, slots=True)
class Taught:
    """Windows and what the detector says of each: log odds, (n,), by a model that has not learned
    from them; the text that each belongs to; and the group that is held out together."""

    windows: Sequence[str]
    log_odds: Floats
    owners: Indices
    groups: Indices


def distil(
    taught: Taught, fires: Mask, lost: float, most_words: int
) -> tuple[FirstStageModel, Floats]:
    """The first stage of all windows, and each window's estimate by one that has not learned from
    its group, (n,).

    `fires`, (n,), are windows of attacks at which the detector fires; a share `lost` of these
    attacks may not be passed.
    """
    grams = ngram_matrix(taught.windows, BUCKETS, most_words)
    estimates = np.zeros(len(taught.windows), np.float32)
    for group in np.unique(taught.groups):
        own = taught.groups == group
        table, bias = _fit(grams[~own], taught.log_odds[~own])
        estimates[own] = grams[own] @ table + bias
    highest = highest_of(estimates[fires], taught.owners[fires])
    table, bias = _fit(grams, taught.log_odds)
    mark = threshold_at_fnr(highest, lost)
    return FirstStageModel(table, bias, mark), estimates


def highest_of(values: Floats, owners: Indices) -> Floats:
    """The highest of each owner's values, by owner."""
    names, places = np.unique(owners, return_inverse=True)
    found = np.full(len(names), -np.inf, np.float32)
    np.maximum.at(found, places, values)
    return found


def report(
    taught: Taught, estimates: Floats, fires: Mask, harmless: Mask, mark: float
) -> dict[str, JsonValue]:
    """What passes the mark, by estimates of groups that were not learned from: the share of attacks
    that fire, and of windows of harmless texts."""
    highest = highest_of(estimates[fires], taught.owners[fires])
    return {
        "mark": mark,
        "attacks": len(highest),
        "attacks_passed": float((highest >= mark).mean()),
        "harmless_windows": int(harmless.sum()),
        "harmless_windows_passed": float((estimates[harmless] >= mark).mean()),
    }


def _fit(grams: "csr_matrix", log_odds: Floats) -> tuple[Floats, float]:
    from sklearn.linear_model import Ridge

    ridge = Ridge(alpha=PENALTY, solver="sparse_cg", tol=1e-3, max_iter=MOST_ROUNDS)
    ridge.fit(grams, np.clip(log_odds, -FARTHEST, FARTHEST))
    return ridge.coef_.astype(np.float32), float(ridge.intercept_)
