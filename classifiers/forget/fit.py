"""Fits head, exemplars and threshold of a forget classifier on encoded rows, and judges them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.forget.evaluation import (
    CERTAIN,
    Bounds,
    Rates,
    conformal_bounds,
    guarantee,
    simple_bounds,
)
from classifiers.forget.exemplars import Recognised, recognise
from classifiers.forget.head import Head, cross_validate, fit_head
from classifiers.forget.rows import Encoded, Mask
from classifiers.prompts.files import position
from classifiers.statistics.thresholds import TooFewRowsError
from guard.terms.detector import Scores
from guard.terms.errors import ConfigError

ThresholdMethod = Literal["simple", "conformal"]


@dataclass(frozen=True, slots=True)
class Levels:
    """The errors allowed; `fpr` is one request's own share of what the set may have."""

    method: ThresholdMethod
    fpr: float
    fnr: float
    confidence: float
    alpha: float


@dataclass(frozen=True, slots=True)
class Fitted:
    """A classifier's parts, and how it judged rows that it had not learned from.

    `scores` are the head's log odds of the `judged` rows, `limits` the thresholds for each.
    """

    head: Head
    recognised: Recognised
    bounds: Bounds
    judged: Encoded
    scores: Scores
    limits: NDArray[np.float32]
    known_missed: int
    promise: dict[str, JsonValue]

    @property
    def auroc(self) -> float:
        """Of the head alone, on prompts as they are."""
        from sklearn.metrics import roc_auc_score

        plain = self.judged.kind("plain")
        return float(roc_auc_score(self.judged.labels[plain], self.scores[plain]))

    def rates(self, *, plain: bool, names: bool) -> Rates:
        """On plain prompts or on the others, with names joined or by the head alone."""
        rows = self.judged.kind("plain")
        return self._rates(rows if plain else ~rows, names=names)

    def swapped(self) -> Rates:
        """On questions about strangers."""
        return self._rates(self.judged.kind("swapped"), names=True)

    def _rates(self, rows: Mask, *, names: bool) -> Rates:
        fired = self.scores >= self.limits
        if names:
            fired |= self.judged.named
        return Rates.of(fired, self.judged.labels, rows)


def fit(encoded: Encoded, levels: Levels, strengths: Sequence[float]) -> Fitted:
    """Fit by the method of `levels`; ConfigError where the rows do not allow it."""
    if levels.method == "conformal":
        return _conformal(encoded, levels, strengths)
    return _simple(encoded, levels, strengths)


def _simple(encoded: Encoded, levels: Levels, strengths: Sequence[float]) -> Fitted:
    scores, folds, head = _learn(encoded, strengths)
    recognised = _recognise(encoded, scores)
    swapped = encoded.kind("swapped")

    def choose(rows: Mask) -> Bounds:
        # Names fire by themselves, so rows with one say nothing about the head's threshold.
        chosen = rows & ~(encoded.named & (encoded.labels == 0))
        return simple_bounds(
            scores[chosen],
            encoded.labels[chosen],
            swapped[chosen],
            fpr=levels.fpr,
            fnr=levels.fnr,
            confidence=levels.confidence,
        )

    bounds = choose(np.ones(len(scores), dtype=np.bool_))
    limits = np.empty(len(scores), dtype=np.float32)
    for fold in np.unique(folds):
        limits[folds == fold] = choose(folds != fold).value
    missed = _missed(encoded, head, recognised, bounds.value)
    return Fitted(head, recognised, bounds, encoded, scores, limits, missed, {})


def _conformal(encoded: Encoded, levels: Levels, strengths: Sequence[float]) -> Fitted:
    held_back = _held_back(encoded)
    learned, judged = encoded.take(~held_back), encoded.take(held_back)
    out_of_fold, _, head = _learn(learned, strengths)
    recognised = _recognise(learned, out_of_fold)
    scores = judged.highest(head.log_odds(judged.features))
    certain = judged.named | _recognised(judged, recognised)
    joined = np.where(certain, CERTAIN, scores)
    plain = judged.kind("plain")
    labels = judged.labels[plain]
    try:
        bounds = conformal_bounds(joined[plain], labels, levels.alpha)
    except TooFewRowsError as error:
        raise ConfigError(f"retain prompts, half of them held back: {error}") from error
    if bounds.value > CERTAIN:
        raise ConfigError(
            "retain prompts: too many hold a name or are known forget prompts for an error level "
            f"of {levels.alpha:g}"
        )
    limits = np.full(len(scores), bounds.value, dtype=np.float32)
    missed = _missed(encoded, head, recognised, bounds.value)
    promise = guarantee(bounds, labels, levels.alpha)
    return Fitted(head, recognised, bounds, judged, scores, limits, missed, promise)


def _learn(encoded: Encoded, strengths: Sequence[float]) -> tuple[Scores, NDArray[np.int_], Head]:
    """Each row's out-of-fold log odds and fold, and the head fitted on all."""
    owners, taught = encoded.owners, encoded.taught
    labels = encoded.labels[owners]
    groups = [encoded.rows.groups[row] for row in owners]
    folds = cross_validate(encoded.features, labels, groups, strengths, taught)
    head = fit_head(encoded.features[taught], labels[taught], folds.strength)
    return encoded.highest(folds.log_odds), folds.folds[encoded.starts], head


def _recognise(encoded: Encoded, scores: Scores) -> Recognised:
    """Exemplars of the prompts that no name gives away, those first that the head knows least."""
    known = np.flatnonzero(encoded.kind("plain") & (encoded.labels == 1) & ~encoded.named)
    known = known[np.argsort(scores[known], kind="stable")]
    owners, swapped = encoded.owners, encoded.kind("swapped")
    harmless = (encoded.labels == 0)[owners]
    others = harmless & swapped[owners]
    return recognise(
        encoded.features[encoded.starts[known]],
        encoded.features[harmless & ~others],
        encoded.features[others],
    )


def _recognised(encoded: Encoded, recognised: Recognised) -> Mask:
    if not len(recognised.exemplars.biases):
        return np.zeros(len(encoded.starts), dtype=np.bool_)
    nearest = recognised.exemplars.log_odds(encoded.features).max(axis=1)
    return np.asarray(encoded.highest(nearest) >= 0)


def _missed(encoded: Encoded, head: Head, recognised: Recognised, threshold: float) -> int:
    """How many of the forget prompts themselves the finished classifier would miss."""
    found = encoded.highest(head.log_odds(encoded.features)) >= threshold
    found |= encoded.named | _recognised(encoded, recognised)
    return int((encoded.kind("plain") & (encoded.labels == 1) & ~found).sum())


def _held_back(encoded: Encoded) -> Mask:
    """The rows of every second group, of each class."""
    rows, plain = encoded.rows, encoded.kind("plain")
    held: set[str] = set()
    for label in (0, 1):
        chosen = np.flatnonzero(plain & (encoded.labels == label))
        groups = {rows.groups[row] for row in chosen}
        held |= set(sorted(groups, key=lambda group: position(group, "calibration"))[1::2])
    return np.array([group in held for group in rows.groups], dtype=np.bool_)
