"""Metrics of a detector's scores, as the field defines them at low false-positive rates.

All take the scores of malicious rows and those of benign rows, higher being worse, and a row fires
at a score at or above the threshold. Conventions (they differ between papers): TPR at x FPR is the
last ROC point with FPR <= x, without interpolation; FPR95 is the FPR of the first point with
TPR >= 0.95; PR-AUC is average precision with negatives reweighted to a stated prior, so its
baseline is that prior; a partial AUROC is divided by the width of its range.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Interval = tuple[float, float]

LENGTH_BINS_PER_OCTAVE = 2


@dataclass(frozen=True, slots=True)
class Roc:
    """The points of a ROC curve, from (0, 0) to (1, 1), and the threshold of each."""

    fpr: Array
    tpr: Array
    thresholds: Array


def roc(malicious: ArrayLike, benign: ArrayLike) -> Roc:
    """One point for each distinct score; ValueError where a class has no row.

    As scikit-learn's `roc_curve`, without its checks: bootstraps call it thousands of times.
    """
    scores, labels = _joined(malicious, benign)
    order = np.argsort(-scores, kind="stable")
    ranked, found = scores[order], np.cumsum(labels[order])
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)  # of each run of ties
    tpr = found[last] / found[-1]
    fpr = (last + 1 - found[last]) / (len(ranked) - found[-1])
    return Roc(
        np.concatenate([[0.0], fpr]),
        np.concatenate([[0.0], tpr]),
        np.concatenate([[np.inf], ranked[last]]),
    )


def auroc(malicious: ArrayLike, benign: ArrayLike) -> float:
    """The chance that a malicious row scores above a benign one, ties counting half."""
    curve = roc(malicious, benign)
    return float(np.trapezoid(curve.tpr, curve.fpr))


def tpr_at_fpr(malicious: ArrayLike, benign: ArrayLike, fpr: float) -> float:
    """The TPR of the last ROC point whose FPR is at most `fpr`."""
    curve = roc(malicious, benign)
    return float(curve.tpr[np.flatnonzero(curve.fpr <= fpr)[-1]])


def fpr_at_tpr(malicious: ArrayLike, benign: ArrayLike, tpr: float = 0.95) -> float:
    """The FPR of the first ROC point whose TPR is at least `tpr` (FPR95 by default)."""
    curve = roc(malicious, benign)
    return float(curve.fpr[np.flatnonzero(curve.tpr >= tpr)[0]])


def partial_auroc(malicious: ArrayLike, benign: ArrayLike, fpr: float = 0.01) -> float:
    """The mean TPR over false-positive rates from 0 to `fpr`: area divided by `fpr`."""
    curve = roc(malicious, benign)
    # Of the points at the border only the first counts: a rise there adds no area.
    inside = slice(int(np.searchsorted(curve.fpr, fpr)) + 1)
    x, y = curve.fpr[inside], curve.tpr[inside]
    border = np.interp(fpr, x, y)
    return float(np.trapezoid([*y[:-1], border], [*x[:-1], fpr]) / fpr)


def pr_auc(malicious: ArrayLike, benign: ArrayLike, prior: float) -> float:
    """Average precision where a share `prior` of all prompts is malicious."""
    from sklearn.metrics import average_precision_score

    scores, labels = _joined(malicious, benign)
    weights = np.where(labels, prior / labels.sum(), (1 - prior) / (~labels).sum())
    return float(average_precision_score(labels, scores, sample_weight=weights))


def precision(tpr: float, fpr: float, prior: float) -> float:
    """The share of firings that are malicious at that prior; NaN where nothing fires."""
    fired = prior * tpr + (1 - prior) * fpr
    return prior * tpr / fired if fired else float("nan")


def length_matched_auroc(
    malicious: ArrayLike,
    benign: ArrayLike,
    malicious_lengths: ArrayLike,
    benign_lengths: ArrayLike,
) -> tuple[float, float]:
    """AUROC with benign rows weighted to the lengths of malicious ones, and the share compared.

    Lengths in characters fall into bins half an octave wide; rows of a bin that the other class
    does not reach are left out, and the second value is the share of malicious rows that stay.
    """
    from sklearn.metrics import roc_auc_score

    scores, labels = _joined(malicious, benign)
    lengths = np.concatenate([np.asarray(malicious_lengths), np.asarray(benign_lengths)])
    octaves = np.log2(np.maximum(lengths, 1)) * LENGTH_BINS_PER_OCTAVE
    _, bins = np.unique(np.floor(octaves), return_inverse=True)
    bad, good = np.bincount(bins[labels]), np.bincount(bins[~labels])
    size = max(len(bad), len(good))
    bad, good = np.pad(bad, (0, size - len(bad))), np.pad(good, (0, size - len(good)))
    weights = np.where(labels, 1.0, (bad / np.maximum(good, 1))[bins])
    kept = (bad * good > 0)[bins]
    if not kept.any():
        return float("nan"), 0.0
    found = roc_auc_score(labels[kept], scores[kept], sample_weight=weights[kept])
    return float(found), float(kept[labels].mean())


def rate_interval(
    hits: int, rows: int, *, method: Literal["exact", "wilson"] = "exact", confidence: float = 0.95
) -> Interval:
    """The confidence interval of a rate: Clopper-Pearson (`exact`) or Wilson's."""
    from scipy.stats import binomtest

    if not rows:
        return 0.0, 1.0
    found = binomtest(hits, rows).proportion_ci(confidence, method=method)
    return float(found.low), float(found.high)


def cluster_bootstrap(
    statistic: Callable[[Array, Array], float],
    malicious: Mapping[str, ArrayLike],
    benign: Mapping[str, ArrayLike],
    *,
    seed: int = 0,
    draws: int = 200,
    confidence: float = 0.95,
) -> Interval:
    """The percentile interval of a statistic over sources drawn with replacement, whole.

    Scores by source; both classes are resampled apart. Rows of a source resemble each other, so
    an interval over single rows would be far too narrow.
    """
    rng = np.random.default_rng(seed)
    values = [statistic(_resampled(malicious, rng), _resampled(benign, rng)) for _ in range(draws)]
    low, high = np.quantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)


def calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """ECE: the mean gap between score and share of malicious rows, over bins of equal width."""
    return float(
        sum(rows * abs(mean - share) for mean, share, rows in _bins(probabilities, labels, bins))
    )


def reliability(
    probabilities: ArrayLike, labels: ArrayLike, bins: int = 15
) -> tuple[list[float], list[float]]:
    """For each bin with rows, the mean score and the share of malicious rows."""
    found = _bins(probabilities, labels, bins)
    return [mean for mean, _, _ in found], [share for _, share, _ in found]


def flip_rate(before: ArrayLike, after: ArrayLike, threshold: float) -> float:
    """The share of rows whose verdict differs between two scorings; 0 without rows."""
    flipped = (np.asarray(before) >= threshold) != (np.asarray(after) >= threshold)
    return float(flipped.mean()) if flipped.size else 0.0


def _joined(malicious: ArrayLike, benign: ArrayLike) -> tuple[Array, NDArray[np.bool_]]:
    bad, good = np.asarray(malicious, np.float64), np.asarray(benign, np.float64)
    if not bad.size or not good.size:
        raise ValueError("malicious and benign rows are needed")
    labels = np.repeat([True, False], [bad.size, good.size])
    return np.concatenate([bad, good]), labels


def _resampled(scores: Mapping[str, ArrayLike], rng: np.random.Generator) -> Array:
    names = list(scores)
    drawn = rng.integers(len(names), size=len(names))
    return np.concatenate([np.asarray(scores[names[i]], np.float64) for i in drawn])


def _bins(
    probabilities: ArrayLike, labels: ArrayLike, bins: int
) -> list[tuple[float, float, float]]:
    """Mean score, share of malicious rows and share of all rows of each bin that has any."""
    scores, truth = np.asarray(probabilities, np.float64), np.asarray(labels, np.float64)
    places = np.minimum((scores * bins).astype(int), bins - 1)
    return [
        (float(scores[own].mean()), float(truth[own].mean()), float(own.mean()))
        for own in (places == place for place in np.unique(places))
    ]
