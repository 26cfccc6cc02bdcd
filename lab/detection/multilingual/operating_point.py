"""How far above the folds' limits the thresholds stand, and what is found and fires there.

Limits that were set on some sources are too low for others: models differ, and so do sources. So
each fold's prompts are judged by the limits of the other folds, raised by a margin: the least at
which what an operator is promised holds.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from lab.detection.held_out_figures import balanced
from lab.detection.multilingual.calibrate import RATE, Floats, Mask, Measured, limits_of

STEP, HIGHEST = 0.05, 3.0
"""Log odds, before scaling: margins are multiples of STEP, HIGHEST where none keeps the promise."""
MOST_OF_SOURCE, SHARE_OF_SOURCES = 0.02, 0.9
"""So many of the sources of harmless prompts have at most that rate."""
SHOWN = 0.02
"""Sources with a higher rate are named."""
FEWEST = 40
"""Prompts in a language of which a share is told."""


def excess_of(measured: Measured, folds: NDArray[np.int64]) -> Floats:
    """How far each logit stands above the limit that the other folds set for its author, (n,);
    `folds` has each prompt's fold, (n,)."""
    found = np.zeros(len(folds), np.float32)
    for number in np.unique(folds):
        own = folds == number
        limits = limits_of(measured.rows(~own))
        of_author = [limits.get(str(name), limits["all"]) for name in measured.authors[own]]
        found[own] = measured.logits[own] - np.array(of_author, np.float32)
    return found


def margin_of(measured: Measured, excess: Floats) -> float:
    """The least margin at which at most RATE of the ordinary, of the hard and of all harmless
    prompts fire, sources weighed alike, and at most MOST_OF_SOURCE of those of nine sources in
    ten."""
    for step in range(round(HIGHEST / STEP)):
        if _keeps_promise(measured, excess > step * STEP):
            return round(step * STEP, 2)
    return HIGHEST


def _keeps_promise(measured: Measured, fires: Mask) -> bool:
    benign = measured.benign
    kinds = (benign, *(measured.families == name for name in ("ordinary", "hard")))
    if any(_share(measured, fires, kind) > RATE for kind in kinds):
        return False
    rates = np.array(list(_source_rates(measured, fires).values()))
    return bool((rates <= MOST_OF_SOURCE).mean() >= SHARE_OF_SOURCES)


def figures_at(measured: Measured, excess: Floats, margin: float) -> dict[str, JsonValue]:
    """What fires at the margin: shares of attacks and of harmless prompts, by family, author and
    language; and the sources with more than SHOWN false alarms. Sources weigh alike."""
    fires, benign = excess > margin, measured.benign
    rates = _source_rates(measured, fires)
    low = np.array(list(rates.values())) <= MOST_OF_SOURCE
    return {
        "margin": margin,
        "attacks": _shares(measured, fires, ~benign),
        "harmless": _shares(measured, fires, benign),
        "harmless_sources_up_to_2_percent": float(low.mean()),
        "sources_above": {name: rate for name, rate in rates.items() if rate > SHOWN},
    }


def _shares(measured: Measured, fires: Mask, rows: Mask) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {"all": _share(measured, fires, rows)}
    for kind, fewest in (
        (measured.families, 1),
        (measured.authors, 1),
        (measured.languages, FEWEST),
    ):
        for name in np.unique(kind[rows]):
            own = rows & (kind == name)
            if own.sum() >= fewest:
                found[str(name)] = _share(measured, fires, own)
    return found


def _share(measured: Measured, fires: Mask, rows: Mask) -> float:
    """The share of the rows that fire; 0 of none."""
    return float(balanced(measured.groups, rows)[rows] @ fires[rows]) if rows.any() else 0.0


def _source_rates(measured: Measured, fires: Mask) -> Mapping[str, float]:
    benign, groups = measured.benign, measured.groups
    return {
        str(name): float(fires[benign & (groups == name)].mean())
        for name in np.unique(groups[benign])
    }
