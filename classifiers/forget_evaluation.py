"""The threshold of a forget classifier and its error rates, from out-of-fold scores.

The threshold lies between two bounds: the lowest that keeps the false-positive rate on retain
prompts (`thresholds.choose_threshold`), and the highest at which the head alone still finds the
forget prompts (`thresholds.threshold_at_fnr`). Where both can be had it is halfway between them in
log odds, so that either side has room for prompts unlike these; otherwise it is the first, and the
report shows what is missed. The order-statistic bound is exact for a head that never saw the rows;
for a head refitted on all rows, as here, it is a close approximation (cross-conformal).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.head import FoldScores, Labels
from classifiers.thresholds import Threshold, choose_threshold, threshold_at_fnr
from guard.detectors.contract import Scores
from guard.errors import ConfigError

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Rates:
    """Error rates on some rows, with how many rows of each class they come from."""

    false_negative: float
    false_positive: float
    forget: int
    retain: int

    def report(self) -> dict[str, JsonValue]:
        return {
            "fnr": self.false_negative,
            "fpr": self.false_positive,
            "forget": self.forget,
            "retain": self.retain,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A threshold and the out-of-fold rates it gives, with the names joined and without."""

    threshold: float
    bound: Threshold
    auroc: float
    plain: Rates
    disguised: Rates
    head_plain: Rates
    head_disguised: Rates

    @property
    def metrics(self) -> dict[str, float]:
        """What the manifest keeps."""
        return {
            "auroc": self.auroc,
            "fnr": self.plain.false_negative,
            "fpr": self.plain.false_positive,
            "fnr_disguised": self.disguised.false_negative,
            "fpr_disguised": self.disguised.false_positive,
        }

    def report(self) -> dict[str, JsonValue]:
        """What `report.json` keeps."""
        return {
            "auroc_head": self.auroc,
            "threshold": {
                "value": self.threshold,
                "bound": self.bound.value,
                "method": self.bound.method,
                "retain_rows": self.bound.rows,
            },
            "prompts": self.plain.report(),
            "disguised": self.disguised.report(),
            "prompts_head_alone": self.head_plain.report(),
            "disguised_head_alone": self.head_disguised.report(),
        }


def evaluate(
    folds: FoldScores,
    labels: Labels,
    disguised: Mask,
    matched: Scores,
    *,
    fpr: float,
    fnr: float,
    confidence: float,
) -> Evaluation:
    """Choose the threshold and measure it; `matched` is 1.0 where a name occurs, else 0.0.

    Rates are cross-fitted: a fold's rows are judged by the threshold of the other folds.
    """
    from sklearn.metrics import roc_auc_score

    head, joined = folds.scores, np.maximum(folds.scores, matched)

    def choose(rows: Mask) -> tuple[float, Threshold]:
        retain = rows & (labels == 0)
        bound = choose_threshold(joined[retain & ~disguised], fpr, confidence)
        # Disguises and name swaps are not independent rows, but have to be let through as well.
        lowest = max(bound.value, choose_threshold(joined[retain], fpr, confidence).value)
        return _between(lowest, threshold_at_fnr(head[rows & (labels == 1)], fnr)), bound

    threshold, bound = choose(np.ones(len(labels), dtype=np.bool_))
    if threshold > 1:
        raise ConfigError(
            "retain prompts: too many hold one of the request's names for the "
            f"false-positive rate of {fpr:g}; remove them, or the name"
        )
    limits = np.empty(len(labels))
    for fold in np.unique(folds.folds):
        limits[folds.folds == fold] = min(1.0, choose(folds.folds != fold)[0])
    return Evaluation(
        threshold=threshold,
        bound=bound,
        auroc=float(roc_auc_score(labels[~disguised], head[~disguised])),
        plain=_rates(joined >= limits, labels, ~disguised),
        disguised=_rates(joined >= limits, labels, disguised),
        head_plain=_rates(head >= limits, labels, ~disguised),
        head_disguised=_rates(head >= limits, labels, disguised),
    )


def _between(lowest: float, highest: float) -> float:
    """Halfway in log odds where there is room, otherwise the lowest."""
    if not 0 < lowest < highest < 1:
        return lowest
    odds = np.sqrt(lowest / (1 - lowest) * highest / (1 - highest))
    return float(np.float32(odds / (1 + odds)))


def _rates(fired: Mask, labels: Labels, rows: Mask) -> Rates:
    forget, retain = rows & (labels == 1), rows & (labels == 0)
    return Rates(
        false_negative=float(1 - fired[forget].mean()) if forget.any() else 0.0,
        false_positive=float(fired[retain].mean()) if retain.any() else 0.0,
        forget=int(forget.sum()),
        retain=int(retain.sum()),
    )
