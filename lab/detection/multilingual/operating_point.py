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
MOST_OF_TWINS = 0.035
"""Twins are the hardest texts that no model has learned from. The English ones among other families
fire more often than all: with this at most 5 %, which no source should have more of."""
SHOWN = 0.02
"""Sources with a higher rate are named."""
FEWEST = 40
"""Prompts in a language of which a share is told."""


def limits_without(measured: Measured, folds: NDArray[np.int64], number: int) -> dict[str, float]:
    """The limits of each author that the other folds set; `folds` has each prompt's fold, (n,)."""
    return limits_of(measured.rows(folds != number))


def excess_of(measured: Measured, folds: NDArray[np.int64], served: Floats | None = None) -> Floats:
    """How far each logit stands above the limit that the other folds set for its author, (n,).

    Limits come of what the model says of everything; `served`, (n,), are the logits that are judged
    by them, where a first stage keeps some texts from the model.
    """
    found = np.array(measured.logits if served is None else served, np.float32)
    for number in np.unique(folds):
        own = folds == number
        limits = limits_without(measured, folds, number)
        of_author = [limits.get(str(name), limits["all"]) for name in measured.authors[own]]
        found[own] -= np.array(of_author, np.float32)
    return found


def margin_of(measured: Measured, excess: Floats, twins: Floats) -> float:
    """The least margin at which at most RATE of the ordinary, of the hard and of all harmless
    prompts fire, sources weighed alike, at most MOST_OF_SOURCE of those of nine sources in ten,
    and at most MOST_OF_TWINS of generated harmless twins of attacks, whose excess is `twins`."""
    for step in range(round(HIGHEST / STEP)):
        margin = step * STEP
        of_twins = float((twins > margin).mean()) if len(twins) else 0.0
        if of_twins <= MOST_OF_TWINS and _keeps_promise(measured, excess > margin):
            return round(margin, 2)
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
