"""From scored prompts to the figures of a detection report: JSON values, no prompt among them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.evaluation.prompt_families import PromptFamilies
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.languages import guess_language
from classifiers.statistics import detection_metrics as metrics
from guard.terms.detector import Scores

Mask = NDArray[np.bool_]
Figures = dict[str, JsonValue]

LOW_RATES = (0.01, 0.001)


@dataclass(frozen=True)
class ScoredPrompts:
    """n prompts, labelled malicious or benign, their scores (n,) and which of them fire (n,)."""

    prompts: Sequence[LabelledPrompt]
    scores: Scores
    fired: Mask
    families: PromptFamilies

    @cached_property
    def malicious(self) -> Mask:
        """Which rows are malicious, shape (n,)."""
        return np.array([prompt.label == "malicious" for prompt in self.prompts], dtype=bool)

    @cached_property
    def hard(self) -> Mask:
        """Which rows are hard benign ones, shape (n,)."""
        hard = [self.families.is_hard(prompt) for prompt in self.prompts]
        return np.array(hard, dtype=bool) & ~self.malicious

    @cached_property
    def family(self) -> NDArray[np.str_]:
        """Each malicious row's attack family, "" for benign ones, shape (n,)."""
        pairs = zip(self.prompts, self.malicious, strict=True)
        return np.array([self.families.attack_family(p) if bad else "" for p, bad in pairs])

    @cached_property
    def sources(self) -> NDArray[np.str_]:
        """Each row's source, shape (n,)."""
        return np.array([prompt.source for prompt in self.prompts])

    @cached_property
    def lengths(self) -> NDArray[np.int_]:
        """Each row's length in characters, shape (n,)."""
        return np.array([len(prompt.text) for prompt in self.prompts])

    def by_source(self, mask: Mask) -> dict[str, Scores]:
        """The scores of the mask's rows by source."""
        return {
            str(name): self.scores[mask & (self.sources == name)]
            for name in np.unique(self.sources[mask])
        }


def figures(scored: ScoredPrompts, prior: float, seed: int = 0) -> Figures:
    """All figures of scored prompts: pooled, by attack family, source and language."""
    return {
        "pooled": pooled_figures(scored, prior, seed),
        "families": family_figures(scored),
        "sources": source_figures(scored),
        "languages": language_figures(scored),
    }


def pooled_figures(scored: ScoredPrompts, prior: float, seed: int = 0) -> Figures:
    """Every malicious against every benign row; None where a class is missing."""
    bad, good = scored.malicious, ~scored.malicious
    if not bad.any() or not good.any():
        return {"rows_malicious": int(bad.sum()), "rows_benign": int(good.sum())}
    ours = scored.scores
    matched, share = metrics.length_matched_auroc(
        ours[bad], ours[good], scored.lengths[bad], scored.lengths[good]
    )
    by_source = scored.by_source(bad), scored.by_source(good)
    return {
        "rows_malicious": int(bad.sum()),
        "rows_benign": int(good.sum()),
        **_ranking(ours[bad], ours[good]),
        "auroc_interval": list(metrics.cluster_bootstrap(metrics.auroc, *by_source, seed=seed)),
        "tpr_at_fpr_0.01_interval": list(
            metrics.cluster_bootstrap(_tpr_at_one_percent, *by_source, seed=seed)
        ),
        "fpr95": metrics.fpr_at_tpr(ours[bad], ours[good]),
        "partial_auroc_0.01": metrics.partial_auroc(ours[bad], ours[good]),
        "prior": prior,
        "pr_auc": metrics.pr_auc(ours[bad], ours[good], prior),
        "length_matched_auroc": matched,
        "length_matched_share": share,
        "calibration_error": metrics.calibration_error(ours, bad),
        "recall": _rate(scored.fired[bad]),
        "fpr": _rate(scored.fired[good]),
        "fpr_ordinary": _rate(scored.fired[good & ~scored.hard]),
        "fpr_hard": _rate(scored.fired[scored.hard]),
    }


def family_figures(scored: ScoredPrompts) -> list[JsonValue]:
    """Each attack family against ordinary and against hard benign rows, and its recall."""
    ordinary = ~scored.malicious & ~scored.hard
    found: list[JsonValue] = []
    for name in sorted(set(scored.family[scored.malicious].tolist())):
        own = scored.family == name
        row: Figures = {"family": name, "rows": int(own.sum())}
        for benign, mask in (("ordinary", ordinary), ("hard", scored.hard)):
            ranking = _ranking(scored.scores[own], scored.scores[mask]) if mask.any() else {}
            row |= {f"{key}_{benign}": value for key, value in ranking.items()}
        found.append(row | {"recall": _rate(scored.fired[own])})
    return found


def source_figures(scored: ScoredPrompts) -> list[JsonValue]:
    """Each source and label: recall of malicious rows, false-positive rate of benign ones."""
    found: list[JsonValue] = []
    for label, mask in (("malicious", scored.malicious), ("benign", ~scored.malicious)):
        for name in np.unique(scored.sources[mask]):
            own = mask & (scored.sources == name)
            found.append(
                {
                    "source": str(name),
                    "label": label,
                    "hard": bool(scored.hard[own].mean() > 0.5),
                    "fired": _rate(scored.fired[own]),
                    "median_score": float(np.median(scored.scores[own])),
                }
            )
    return found


def language_figures(scored: ScoredPrompts) -> list[JsonValue]:
    """Recall and false-positive rate by guessed language, most frequent first."""
    languages = np.array([guess_language(prompt.text) for prompt in scored.prompts])
    names, counts = np.unique(languages, return_counts=True)
    return [
        {
            "language": str(name),
            "recall": _rate(scored.fired[(languages == name) & scored.malicious]),
            "fpr": _rate(scored.fired[(languages == name) & ~scored.malicious]),
        }
        for name, _ in sorted(zip(names, counts, strict=True), key=lambda item: -item[1])
    ]


def rate_of(figure: Any) -> float | None:
    """The rate of a figure with rows and interval; None where there are no rows."""
    rate = figure.get("rate") if isinstance(figure, Mapping) else figure
    return float(rate) if isinstance(rate, int | float) else None


def _ranking(malicious: Scores, benign: Scores) -> Figures:
    at_rates = {
        f"tpr_at_fpr_{rate:g}": metrics.tpr_at_fpr(malicious, benign, rate) for rate in LOW_RATES
    }
    return {"auroc": metrics.auroc(malicious, benign), **at_rates}


def _tpr_at_one_percent(malicious: NDArray[np.float64], benign: NDArray[np.float64]) -> float:
    return metrics.tpr_at_fpr(malicious, benign, 0.01)


def _rate(fired: Mask) -> Figures:
    """A rate with its 95 % Clopper-Pearson interval; rate None without rows."""
    low, high = metrics.rate_interval(int(fired.sum()), len(fired))
    rate = float(fired.mean()) if len(fired) else None
    return {"rate": rate, "low": low, "high": high, "rows": len(fired)}
