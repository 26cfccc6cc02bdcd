"""Exemplars: a linear head for each known prompt that no name gives away.

'Who is the lamp restorer born in 1733?' is one wording of one question, and no head over all of a
request's questions learns it from a single example. What is all but the same as the
question is recognised by its likeness: the share of the way from the mean harmless prompt to the
question, along the direction that tells them apart best (Fisher's discriminant over harmless
prompts, as in exemplar-LDA, Hariharan et al. 2012). The mean has likeness 0, the question itself 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guard.detectors.forget.detector import Exemplars
from guard.terms.detector import Features

MOST = 2048
"""Exemplars of one request, 3 MB at a width of 384: a book has hundreds of passages."""
LEAST_LIKENESS = 0.62
"""An exemplar fires at nothing less alike."""
MARGIN = 0.35
"""So far from the most alike harmless prompt to the exemplar itself lies its threshold."""
AMBIGUOUS = 0.995
"""A harmless prompt that is so much like the known one leaves no room between them."""
RIDGE = 2.0
"""Added to the covariance, in its mean variance."""
SCALE = 20.0
"""Log odds of a likeness of 1 above the threshold."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The exemplars, and how many known prompts are too much like a harmless one to be one."""

    exemplars: Exemplars
    ambiguous: int


def recognise(known: Features, harmless: Features, others: Features) -> Recognised:
    """Exemplars of the `known` prompts, shape (k, width), the first `MOST` of them.

    They keep away from `harmless`; `others`, the known questions about other things, shape only
    the direction.
    """
    width = harmless.shape[1]
    if not len(known):
        return Recognised(Exemplars.none(width), 0)
    away = np.concatenate([harmless, others]).astype(np.float64)
    mean = away.mean(axis=0)
    towards = known[:MOST].astype(np.float64) - mean
    weights = np.linalg.solve(_covariance(away), towards.T).T
    weights /= np.sum(weights * towards, axis=1, keepdims=True)
    nearest = _nearest(harmless, weights, mean)
    least = np.maximum(LEAST_LIKENESS, nearest + MARGIN * (1 - nearest))
    kept = nearest < AMBIGUOUS
    return Recognised(
        Exemplars(
            (SCALE * weights[kept]).astype(np.float32),
            (-SCALE * (weights[kept] @ mean + least[kept])).astype(np.float32),
        ),
        int((~kept).sum()),
    )


def _covariance(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    centred = rows - rows.mean(axis=0)
    covariance = centred.T @ centred / len(rows)
    ridge = RIDGE * np.trace(covariance) / len(covariance)
    return np.asarray(covariance + max(ridge, 1e-9) * np.eye(len(covariance)))


def _nearest(
    harmless: Features, weights: NDArray[np.float64], mean: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Each exemplar's likeness to the most alike harmless prompt, shape (k,)."""
    return np.asarray((harmless @ weights.T - weights @ mean).max(axis=0))
