"""The threshold of a forget classifier and its error rates, from scores of rows not learned from.

The head's threshold lies between two bounds: the lowest that keeps the false positives allowed, and
the highest at which it still finds the forget prompts. Where both can be had it is halfway between
them in log odds, so that either side has room for prompts unlike these; otherwise it is the first,
and the report shows what is missed. Names and exemplars fire by themselves, whatever it is.

`simple`: all rows are learned from, and scored by the head of the other folds. The false-positive
rate is that of a whole set of requests, so each is held to its share of it. Where the retain
prompts are too few to count so small a rate, it is estimated from the tail of their log odds.

`conformal`: split conformal by class (Vovk 2012; Sadinle, Lei, Wasserman 2019). Half of the groups
of prompts are never learned from; on them each class gets the threshold at which a new prompt,
exchangeable with them, is judged wrongly with probability at most `alpha`.
"""

from dataclasses import dataclass

import numpy as np
from pydantic import JsonValue

from classifiers.forget.head import Labels
from classifiers.forget.rows import Mask
from classifiers.statistics.thresholds import (
    Threshold,
    TooFewRowsError,
    conformal_threshold,
    tail_threshold,
    threshold_at_fnr,
    threshold_at_fpr,
)
from guard.terms.detector import Scores

CERTAIN = np.float32(40.0)
"""Log odds that stand for a name in the text: above every threshold."""
SWAPPED_RATE = 0.005
"""The share of questions about strangers that one request may fire on."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A threshold in log odds, and what it keeps of both classes."""

    value: float
    benign: Threshold
    highest: float

    @property
    def finds_forget(self) -> bool:
        """Whether the bound on missed forget prompts could be kept, too."""
        return self.benign.value <= self.highest


def simple_bounds(
    head: Scores, labels: Labels, swapped: Mask, *, fpr: float, fnr: float, confidence: float
) -> Bounds:
    """From the head's log odds (n,); names must be left out, they are no matter of the threshold.

    `swapped` rows, questions about strangers, are not independent, but have to be let through too.
    """
    ordinary = head[(labels == 0) & ~swapped]
    try:
        lowest = Threshold(
            threshold_at_fpr(ordinary, fpr, confidence), "neyman-pearson", len(ordinary)
        )
    except TooFewRowsError:
        lowest = Threshold(tail_threshold(ordinary, fpr), "tail", len(ordinary))
    if swapped.any():
        among = float(np.quantile(head[swapped], 1 - SWAPPED_RATE, method="higher"))
        lowest = Threshold(max(lowest.value, above(among)), lowest.method, lowest.rows)
    highest = threshold_at_fnr(head[labels == 1], fnr)
    return Bounds(between(lowest.value, highest), lowest, highest)


def conformal_bounds(joined: Scores, labels: Labels, alpha: float) -> Bounds:
    """From the log odds (n,), names and exemplars joined, of rows that nothing was learned from.

    Raises TooFewRowsError where the retain rows are too few for `alpha`.
    """
    retain = joined[labels == 0]
    lowest = Threshold(conformal_threshold(retain, alpha), "conformal", len(retain))
    highest = threshold_at_fnr(joined[labels == 1], alpha)
    return Bounds(between(lowest.value, highest), lowest, highest)


def guarantee(bounds: Bounds, labels: Labels, alpha: float) -> dict[str, JsonValue]:
    """What conformal thresholds promise, for prompts exchangeable with those held back."""
    forget = int((labels == 1).sum())
    level = max(alpha, 1 / (forget + 1))
    return {
        "false_positive": {"at_most": alpha, "rows": bounds.benign.rows},
        "false_negative": {
            "at_most": level if bounds.finds_forget else None,
            "rows": forget,
        },
    }


@dataclass(frozen=True, slots=True)
class Rates:
    """Error rates on some rows, with how many rows of each class they come from."""

    false_negative: float
    false_positive: float
    forget: int
    retain: int

    @classmethod
    def of(cls, fired: Mask, labels: Labels, rows: Mask) -> "Rates":
        """Of what `fired` among some rows."""
        forget, retain = rows & (labels == 1), rows & (labels == 0)
        return cls(
            false_negative=float(1 - fired[forget].mean()) if forget.any() else 0.0,
            false_positive=float(fired[retain].mean()) if retain.any() else 0.0,
            forget=int(forget.sum()),
            retain=int(retain.sum()),
        )

    def report(self) -> dict[str, JsonValue]:
        """As `report.json` keeps them."""
        return {
            "fnr": self.false_negative,
            "fpr": self.false_positive,
            "forget": self.forget,
            "retain": self.retain,
        }


def probability(log_odds: float) -> float:
    """The logistic, rounded as serving stores it."""
    return float(np.float32(0.5 * (1 + np.tanh(log_odds / 2))))


def above(log_odds: float) -> float:
    """The next float32."""
    return float(np.nextafter(np.float32(log_odds), np.float32(np.inf)))


def between(lowest: float, highest: float) -> float:
    """Halfway where there is room, otherwise the lowest."""
    return (lowest + highest) / 2 if lowest < highest else lowest
