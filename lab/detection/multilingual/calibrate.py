"""Scaling, thresholds, p-values and figures by logits of sources that no model had seen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.malicious.calibration import Scaling, fit_scaling, kept_scores
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.prompts.languages import guess_language
from guard.detectors.calibration import Calibration
from guard.detectors.weights import logistic
from lab.detection.held_out_figures import balanced, nested_rates, weighted_quantile
from lab.detection.multilingual.sources import author_of, family_of, group_of

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
RATE = 0.01
SPREAD_AT = 0.95
"""Quantile at which models are compared."""
"""Of harmless prompts that fire, sources weighted alike."""
ALL, USER, THIRD_PARTY, DEVELOPER = "all", "user", "third party", "developer"
STARTS = (1, 2, 4, 8, 16)
"""Windows from which on a threshold is higher."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Prompts that were held out and the logit of each; what they are, all of shape (n,)."""

    logits: Floats
    families: NDArray[np.str_]
    groups: NDArray[np.str_]
    authors: NDArray[np.str_]
    languages: NDArray[np.str_]

    def rows(self, chosen: Mask) -> "Measured":
        """Those of the prompts."""
        return Measured(*(getattr(self, each.name)[chosen] for each in fields(self)))

    @property
    def benign(self) -> Mask:
        """Which are harmless."""
        return np.isin(self.families, ["ordinary", "hard"])


def measured_of(prompts: Sequence[LabelledPrompt], logits: Floats) -> Measured:
    """What the figures need of each prompt."""
    return Measured(
        logits,
        np.array([family_of(prompt) for prompt in prompts]),
        np.array([group_of(prompt) for prompt in prompts]),
        np.array([author_of(prompt) for prompt in prompts]),
        np.array([guess_language(prompt.text) for prompt in prompts]),
    )


def calibrate(measured: Measured) -> tuple[Scaling, Calibration]:
    """Scaling of logits to log odds, and the scores for p-values."""
    sides = measured.benign, ~measured.benign
    scaling = fit_scaling(*(measured.logits[side] for side in sides))
    scores = logistic(scaling.of(measured.logits))
    rng = np.random.default_rng(0)
    return scaling, Calibration(*(kept_scores(scores[side], rng) for side in sides))


def limits_of(measured: Measured) -> dict[str, float]:
    """The logit that RATE of harmless prompts are above: of all, and of each author's."""
    found = {ALL: _limit(measured, measured.benign, RATE)}
    for author in np.unique(measured.authors[measured.benign]):
        found[str(author)] = _limit(measured, measured.benign & (measured.authors == author), RATE)
    return found


def _limit(measured: Measured, chosen: Mask, rate: float) -> float:
    weights = balanced(measured.groups, chosen)[chosen]
    return weighted_quantile(measured.logits[chosen], weights, 1 - rate)


def spread_of(logits: Floats, of_folds: Sequence[Floats]) -> float:
    """How much higher the last harmless prompts stand in the model that ships than in the folds'.

    All are logits of the same harmless prompts, (n,), which no model has learned from. A model that
    learned from more spreads further, so limits that the folds' models gave are that much too low.
    """
    if not of_folds:
        return 0.0
    found = float(np.quantile(logits, SPREAD_AT))
    before = float(np.mean([np.quantile(fold, SPREAD_AT) for fold in of_folds]))
    return max(0.0, found - before)


def thresholds_of(
    limits: Mapping[str, float], scaling: Scaling, length_share: float, raised: float = 0.0
) -> dict[str, float]:
    """Thresholds as a manifest holds them: of users' texts for everybody, of third parties' and of
    developers' for theirs, all `raised` by so much. Each rises with the windows that a request
    makes the detector read, as the measured logits fell with them."""
    names = {"score": USER, "third_party": THIRD_PARTY, "developer": DEVELOPER}
    found: dict[str, float] = {}
    for name, author in names.items():
        limit = limits.get(author, limits[ALL]) + raised
        limits_by_start = limit + length_share * np.log(np.array(STARTS))
        # A detector fires at its threshold or above; a figure counts what is above it.
        odds = np.nextafter(scaling.of(limits_by_start.astype(np.float32)), np.float32(np.inf))
        steps = [name if start == 1 else f"{name}@{start}" for start in STARTS]
        found |= dict(zip(steps, logistic(odds).tolist(), strict=True))
    return found


def figures(measured: Measured) -> dict[str, JsonValue]:
    """AUROC and recall at RATE, pooled and of each family; each source's rate at the limit of the
    others; sources weigh alike."""
    benign = measured.benign
    families = {str(name): measured.families == name for name in np.unique(measured.families)}
    attacks = {name: rows for name, rows in families.items() if not (rows & benign).any()}
    return {
        "pooled": _family(measured, ~benign),
        "families": {name: _family(measured, rows) for name, rows in attacks.items()},
        "unseen_sources": nested_rates(measured.logits, measured.groups, benign, RATE),
    }


def _family(measured: Measured, attacks: Mask) -> dict[str, JsonValue]:
    limit = _limit(measured, measured.benign, RATE)
    weights = balanced(measured.groups, attacks)
    return {
        "rows": int(attacks.sum()),
        "auroc": _auroc(measured, attacks, measured.benign),
        "ordinary": _auroc(measured, attacks, measured.families == "ordinary"),
        "hard": _auroc(measured, attacks, measured.families == "hard"),
        "recall": float(weights[attacks] @ (measured.logits[attacks] > limit)),
    }


def _auroc(measured: Measured, attacks: Mask, benign: Mask) -> float | None:
    """None where a class is missing."""
    from sklearn.metrics import roc_auc_score

    if not attacks.any() or not benign.any():
        return None
    rows = attacks | benign
    weights = balanced(measured.groups, attacks) + balanced(measured.groups, benign)
    return float(roc_auc_score(attacks[rows], measured.logits[rows], sample_weight=weights[rows]))
