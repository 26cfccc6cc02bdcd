"""The figures of a detector on held-out prompts: ranking, operating point, sources, p-values.

Definitions are those of `evaluation.detection_metrics`; intervals are Clopper and Pearson's, 95 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.malicious.calibration import calibration_error
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics import detection_metrics as metrics
from classifiers.statistics.thresholds import choose_threshold
from guard.detectors.calibration import Calibration
from guard.terms.detector import Scores

Labels = NDArray[np.int_]
LOW_RATES = (0.01, 0.001)
RANKING = (
    *("auroc", "length_matched_auroc", "tpr_at_fpr_0.01", "tpr_at_fpr_0.001"),
    *("fpr95", "pr_auc"),
)


@dataclass(frozen=True, slots=True)
class Share:
    """A share of some rows, with its 95 % interval."""

    hits: int
    rows: int

    def report(self) -> dict[str, JsonValue]:
        """Rate, interval and rows; None where there are no rows."""
        if not self.rows:
            return {"rate": None, "low": None, "high": None, "rows": 0}
        low, high = metrics.rate_interval(self.hits, self.rows)
        return {"rate": self.hits / self.rows, "low": low, "high": high, "rows": self.rows}


def ranking_figures(
    scores: Scores, labels: Labels, lengths: Labels, prior: float
) -> dict[str, JsonValue]:
    """How scores (n,) rank prompts of `lengths` characters, PR-AUC at `prior`.

    All None where a class is missing; the length-matched AUROC also where no lengths meet.
    """
    if not 0 < labels.sum() < len(labels):
        return dict.fromkeys(RANKING)
    malicious, benign = scores[labels == 1], scores[labels == 0]
    matched, _ = metrics.length_matched_auroc(
        malicious, benign, lengths[labels == 1], lengths[labels == 0]
    )
    found = (
        metrics.auroc(malicious, benign),
        None if np.isnan(matched) else matched,
        *(metrics.tpr_at_fpr(malicious, benign, rate) for rate in LOW_RATES),
        metrics.fpr_at_tpr(malicious, benign),
        metrics.pr_auc(malicious, benign, prior),
    )
    return dict(zip(RANKING, found, strict=True))


def operating_figures(scores: Scores, labels: Labels, threshold: float) -> dict[str, JsonValue]:
    """Recall and false-positive rate at the threshold, and the calibration error of the scores."""
    fired = scores >= threshold
    malicious, benign = labels == 1, labels == 0
    return {
        "recall": Share(int(fired[malicious].sum()), int(malicious.sum())).report(),
        "fpr": Share(int(fired[benign].sum()), int(benign.sum())).report(),
        "calibration_error": calibration_error(scores, labels) if len(labels) else None,
    }


def source_figures(
    prompts: Sequence[LabelledPrompt], scores: Scores, threshold: float
) -> list[dict[str, JsonValue]]:
    """For each source and label, how many fire; sorted by label, worst first."""
    groups: dict[tuple[str, str], list[bool]] = {}
    for prompt, score in zip(prompts, scores, strict=True):
        groups.setdefault((prompt.label, prompt.source), []).append(bool(score >= threshold))
    rows: list[dict[str, JsonValue]] = [
        {"source": source, "label": label, "fired": Share(sum(fired), len(fired)).report()}
        for (label, source), fired in groups.items()
    ]

    def worst_first(row: dict[str, JsonValue]) -> tuple[str, float]:
        fired = groups[str(row["label"]), str(row["source"])]
        rate = sum(fired) / len(fired)
        return str(row["label"]), rate if row["label"] == "malicious" else -rate

    return sorted(rows, key=worst_first)


def unseen_source_figures(
    prompts: Sequence[LabelledPrompt], scores: Scores, fpr: float, confidence: float
) -> list[dict[str, JsonValue]]:
    """False positives on each benign source by a threshold from the others' prompts alone.

    How far the bound holds for a source that the threshold has not seen (the model may have).
    """
    names = np.array([prompt.source for prompt in prompts])
    found: list[dict[str, JsonValue]] = []
    for source in np.unique(names) if len(np.unique(names)) > 1 else ():
        own = scores[names == source]
        threshold = choose_threshold(scores[names != source], fpr, confidence).value
        fired = Share(int((own >= threshold).sum()), len(own))
        found.append({"source": str(source), "fpr": fired.report()})
    return found


def p_value_figures(
    calibration: Calibration, scores: Scores, labels: Labels, levels: Sequence[float] = (0.01, 0.05)
) -> dict[str, JsonValue]:
    """How often each class's own p-value is at most a level: near the level where rows are alike
    those of the calibration, above it where they are not."""
    benign = [calibration.p_benign(float(score)) for score in scores[labels == 0]]
    malicious = [calibration.p_malicious(float(score)) for score in scores[labels == 1]]
    return {
        name: {f"{level:g}": _share_at_most(values, level) for level in levels}
        for name, values in (("benign", benign), ("malicious", malicious))
    }


def _share_at_most(values: Sequence[float | None], level: float) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(np.array(known) <= level)) if known else None


def flat(figures: Mapping[str, JsonValue]) -> dict[str, float]:
    """The numbers among figures, as a manifest keeps them; a share by its rate."""
    found: dict[str, float] = {}
    for name, value in figures.items():
        number = value.get("rate") if isinstance(value, dict) else value
        if isinstance(number, int | float) and not isinstance(number, bool):
            found[name] = float(number)
    return found
