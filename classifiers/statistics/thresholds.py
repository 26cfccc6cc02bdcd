"""Thresholds from held-out benign scores, with a bound on the false-positive rate.

A detector fires at scores at or above its threshold; higher is worse.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Method = Literal["neyman-pearson", "conformal", "maximum", "tail"]


class TooFewRowsError(ValueError):
    """There are not enough benign rows for the rate and confidence asked for."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold, how it was chosen and from how many benign rows."""

    value: float
    method: Method
    rows: int


def threshold_at_fpr(benign_scores: ArrayLike, fpr: float, confidence: float = 0.95) -> float:
    """The lowest threshold whose false-positive rate is at most `fpr` with that confidence.

    Neyman-Pearson umbrella algorithm (Tong, Feng, Li 2018): of n independent benign scores the
    smallest order statistic k with sum_{j>=k} C(n,j) (1-fpr)^j fpr^(n-j) <= 1 - confidence; the
    threshold lies just above the k-th smallest score. Raises TooFewRowsError when no k does.
    """
    from scipy.stats import binom

    _check_rate("fpr", fpr)
    _check_rate("confidence", confidence)
    scores = _sorted(benign_scores)
    count = len(scores)
    ranks = np.arange(1, count + 1)
    # P(Binomial(n, 1-fpr) >= k) is the chance that the rate above the k-th score exceeds fpr.
    exceeds = binom.sf(ranks - 1, count, 1 - fpr)
    allowed = np.flatnonzero(exceeds <= 1 - confidence)
    if not len(allowed):
        raise TooFewRowsError(
            f"{count} benign rows are too few for a false-positive rate of {fpr:g} with "
            f"confidence {confidence:g}: {rows_needed(fpr, confidence)} are needed"
        )
    return _just_above(scores[allowed[0]])


def rows_needed(fpr: float, confidence: float = 0.95) -> int:
    """The fewest benign rows from which `threshold_at_fpr` can choose."""
    _check_rate("fpr", fpr)
    _check_rate("confidence", confidence)
    return int(np.ceil(np.log1p(-confidence) / np.log1p(-fpr)))


def conformal_threshold(benign_scores: ArrayLike, fpr: float) -> float:
    """Split conformal: just above the ceil((n+1)(1-fpr))-th smallest of n benign scores.

    A new benign row, exchangeable with these, reaches it with probability at most `fpr`, on
    average over draws of the rows (weaker than `threshold_at_fpr`, from fewer rows).
    """
    _check_rate("fpr", fpr)
    scores = _sorted(benign_scores)
    # The small term keeps 20 * (1 - 0.05) from being rounded up to 20.
    rank = int(np.ceil((len(scores) + 1) * (1 - fpr) - 1e-9))
    if rank > len(scores):
        raise TooFewRowsError(
            f"{len(scores)} benign rows are too few for a false-positive rate of {fpr:g}: "
            f"{int(np.ceil(1 / fpr - 1e-9)) - 1} are needed"
        )
    return _just_above(scores[rank - 1])


def tail_threshold(benign_log_odds: ArrayLike, fpr: float) -> float:
    """An estimate, without a guarantee, of the threshold that a share `fpr` of benign rows reach,
    for rates too small to be counted on so few rows.

    A normal distribution is fitted to the upper half of the log odds: those of a linear head are
    sums of many features. Not below the largest row.
    """
    from scipy.stats import norm

    _check_rate("fpr", fpr)
    scores = _sorted(benign_log_odds).astype(np.float64)
    middle = float(np.median(scores))
    upper = scores[scores >= middle] - middle
    spread = float(np.sqrt(np.mean(upper**2)))
    return max(float(middle + norm.isf(fpr) * spread), _just_above(np.float32(scores[-1])))


def choose_threshold(benign_scores: ArrayLike, fpr: float, confidence: float = 0.95) -> Threshold:
    """The strongest threshold that the rows allow: Neyman-Pearson, else split conformal, else
    just above the largest score, which bounds nothing and is recorded as such."""
    rows = len(_sorted(benign_scores))
    try:
        return Threshold(threshold_at_fpr(benign_scores, fpr, confidence), "neyman-pearson", rows)
    except TooFewRowsError:
        pass
    try:
        return Threshold(conformal_threshold(benign_scores, fpr), "conformal", rows)
    except TooFewRowsError:
        return Threshold(_just_above(_sorted(benign_scores)[-1]), "maximum", rows)


def threshold_at_fnr(positive_scores: ArrayLike, fnr: float) -> float:
    """The highest threshold that a new positive row misses with probability at most `fnr`.

    Split conformal on the other side: the floor((n+1) fnr)-th smallest score, or the smallest
    when there are too few rows for that (then the bound is 1 / (n+1) at best).
    """
    _check_rate("fnr", fnr)
    scores = _sorted(positive_scores)
    rank = max(1, int(np.floor((len(scores) + 1) * fnr + 1e-9)))
    return float(scores[rank - 1])


def _sorted(scores: ArrayLike) -> NDArray[np.float32]:
    array = np.sort(np.asarray(scores, dtype=np.float32))
    if array.ndim != 1 or not len(array):
        raise TooFewRowsError("no rows to choose a threshold from")
    if not np.isfinite(array).all():
        raise ValueError("scores must be finite")
    return array


def _just_above(score: np.float32) -> float:
    return float(np.nextafter(score, np.float32(np.inf)))


def _check_rate(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ValueError(f"{name} must lie between 0 and 1, not {value}")
