"""The first stage of the detector that ships: taught what the folds' models say of new windows.

Its pass mark keeps all but LOST of the attacks that fire, judged by first stages
that have not learned from the fold that an attack is of.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from classifiers.malicious.fine_tuning.first_stage import (
    FirstStageModel,
    Taught,
    distil,
    highest_of,
    report,
)
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.multilingual.calibrate import ALL, Measured, limits_of
from lab.detection.multilingual.model import cut_windows
from lab.detection.multilingual.recipe import Recipe
from lab.detection.multilingual.sources import FOLDS, fold_of

LOST = 0.03
"""Share of the attacks found that may be lost: where a quarter is found, .8 points of recall."""
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Cascade:
    """The first stage (none where no attack fires), the logits of the measured prompts as served
    with one that has not learned from their fold, (n,), and what passes."""

    model: FirstStageModel | None
    served: Floats
    passed: dict[str, JsonValue]


def cascade_of(
    measured: Measured, prompts: Sequence[LabelledPrompt], recipe: Recipe, cache: Path
) -> Cascade:
    """What the folds' models in `cache` teach a first stage; `prompts` are the measured ones.

    An attack fires here at the limit of its author: no threshold is lower.
    """
    taught, limits = _taught(prompts, recipe, cache), limits_of(measured)
    of_author = np.array([limits.get(str(name), limits[ALL]) for name in measured.authors])
    malicious = ~measured.benign[taught.owners]
    fires = malicious & (taught.log_odds > of_author[taught.owners])
    if not fires.any():
        return Cascade(None, measured.logits, {})
    model, estimates = distil(taught, fires, LOST, recipe.ngram_words)
    numbers = np.where(estimates >= model.mark, taught.log_odds, estimates).astype(np.float32)
    lost = highest_of(taught.log_odds, taught.owners) - highest_of(numbers, taught.owners)
    passed = report(taught, estimates, fires, ~malicious, model.mark)
    return Cascade(model, measured.logits - lost, passed)


def _taught(prompts: Sequence[LabelledPrompt], recipe: Recipe, cache: Path) -> Taught:
    """The windows of all measured prompts, and what their own fold's model says of each."""
    folds = np.array([fold_of(prompt.source) for prompt in prompts])
    windows: list[str] = []
    log_odds, owners = [], []
    for number in range(len(FOLDS)):
        rows = np.flatnonzero(folds == number)
        if not len(rows):
            continue
        cut, own = cut_windows([prompts[int(row)] for row in rows], recipe)
        windows += cut
        owners.append(rows[own])
        with np.load(cache / f"fold-{number}.npz") as kept:
            log_odds.append(kept["tower"] + recipe.lexical_share * kept["lexical"])
    owner = np.concatenate(owners)
    return Taught(windows, np.concatenate(log_odds).astype(np.float32), owner, folds[owner])
