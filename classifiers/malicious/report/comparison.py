"""What `report.json` says of a training: the chosen mode in full, the others and baselines beside.

Everything is measured on prompts that neither taught nor chose. Without labelled validation only
the calibration prompts are left, which set the threshold themselves; the report says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from pydantic import JsonValue

from classifiers.malicious.calibration import reliability
from classifiers.malicious.candidate import Candidate
from classifiers.malicious.encoded import Rows, labels_of
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.malicious.report.figures import (
    flat,
    operating_figures,
    p_value_figures,
    ranking_figures,
    source_figures,
    unseen_source_figures,
)
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.thresholds import Method, Threshold
from guard.terms.detector import Scores

Prompts = Sequence[LabelledPrompt]
PRIOR = 0.01
"""The share of attacks at which precision is quoted."""
REFUSED = "refused"
"""The key under which a report says why a mode gave nothing."""


@dataclass(frozen=True, slots=True)
class MeasuredPrompts:
    """Which prompts measure, and which parts of a training they are from."""

    prompts: Prompts
    parts: tuple[str, ...]

    @property
    def labels(self) -> Rows:
        """1 for malicious, else 0."""
        return labels_of(tuple(self.prompts))

    @property
    def lengths(self) -> Rows:
        """Characters of each prompt."""
        return np.array([len(prompt.text) for prompt in self.prompts], dtype=np.int_)

    def scores(self, candidate: Candidate) -> Scores:
        """The candidate's scores of these prompts."""
        found = [candidate.scores[part] for part in self.parts]
        return np.concatenate(found) if found else np.empty(0, dtype=np.float32)


def measured_prompts(parts: Mapping[str, Prompts]) -> MeasuredPrompts:
    """The test part; where it lacks a class, the calibration prompts of that class as well."""
    names: list[str] = ["test"] if parts["test"] else []
    found = {prompt.label for prompt in parts["test"]}
    wanted = (("benign", "calibration"), ("malicious", "malicious_calibration"))
    names += [part for label, part in wanted if label not in found and parts[part]]
    return MeasuredPrompts([prompt for name in names for prompt in parts[name]], tuple(names))


def mode_figures(
    candidate: Candidate, measured: MeasuredPrompts, recipe: MaliciousRecipe
) -> dict[str, JsonValue]:
    """A mode's line in the comparison."""
    scores, labels = measured.scores(candidate), measured.labels
    return {
        **ranking_figures(scores, labels, measured.lengths, PRIOR),
        **operating_figures(scores, labels, candidate.threshold.value),
        "threshold": threshold_report(candidate.threshold, recipe),
        "diagnostics": dict(candidate.diagnostics),
        "seconds": candidate.seconds,
    }


def baseline_figures(
    scores: Mapping[str, Scores], measured: MeasuredPrompts
) -> dict[str, JsonValue]:
    """The baselines' lines: how they rank the same prompts."""
    return {
        name: ranking_figures(found, measured.labels, measured.lengths, PRIOR)
        for name, found in scores.items()
    }


def chosen_report(
    candidate: Candidate,
    measured: MeasuredPrompts,
    calibration: Prompts,
    recipe: MaliciousRecipe,
) -> dict[str, JsonValue]:
    """What is said of the mode that is written alone."""
    scores, labels = measured.scores(candidate), measured.labels
    sources = source_figures(measured.prompts, scores, candidate.threshold.value)
    unseen = unseen_source_figures(
        calibration, candidate.scores["calibration"], recipe.fpr, recipe.confidence
    )
    return {
        "mode": candidate.mode,
        "measured_on": list(measured.parts),
        "prior": PRIOR,
        "threshold": threshold_report(candidate.threshold, recipe),
        "sources": [*sources],
        "unseen_sources": [*unseen],
        "p_values": p_value_figures(candidate.kept(recipe.seed), scores, labels),
        "reliability": [asdict(found) for found in reliability(scores, labels)],
    }


def threshold_report(threshold: Threshold, recipe: MaliciousRecipe) -> dict[str, JsonValue]:
    """The threshold, from how many prompts, and what it promises."""
    return {
        "value": threshold.value,
        "method": threshold.method,
        "rows": threshold.rows,
        "fpr": recipe.fpr,
        "confidence": recipe.confidence,
        "guarantee": guarantee(threshold.method, recipe.fpr, recipe.confidence),
    }


def guarantee(method: Method, fpr: float, confidence: float) -> str:
    """What a threshold chosen by `method` promises, in words."""
    condition = "under exchangeability with the calibration prompts"
    match method:
        case "neyman-pearson":
            return f"P(FPR > {fpr:g}) <= {1 - confidence:.4g} {condition}"
        case "conformal":
            return (
                f"expected FPR <= {fpr:g} {condition}, on average over draws of them: they are too "
                f"few for a bound with confidence {confidence:g}"
            )
    return f"none: the calibration prompts are too few for a false-positive rate of {fpr:g}"


def manifest_metrics(figures: Mapping[str, JsonValue]) -> dict[str, float]:
    """The figures that the manifest keeps."""
    return flat({name: value for name, value in figures.items() if name != "seconds"})
