"""Each fold's measured prompts, scored by a model that learned from the other folds' sources."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.examples import Example, without
from classifiers.malicious.fine_tuning.training import counter
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.runs.step_progress import Progress
from lab.detection.multilingual.examples import Amounts, build_examples
from lab.detection.multilingual.model import fit_model, prompt_logits
from lab.detection.multilingual.recipe import Recipe
from lab.detection.multilingual.sensitive_rows import added_rows
from lab.detection.multilingual.sources import FOLDS, fold_of

Floats = NDArray[np.float32]


def all_examples(prompts: Sequence[LabelledPrompt], recipe: Recipe) -> list[Example]:
    """What the model that ships learns from, texts that repeat once."""
    found = build_examples(prompts, Amounts().scaled(recipe.scale)) + added_rows()
    return list({example.text: example for example in found}.values())


def held_out_logits(
    measured: Sequence[LabelledPrompt],
    examples: Sequence[Example],
    recipe: Recipe,
    source: Path,
    folder: Path,
    progress: Progress,
) -> Floats:
    """The logit of each measured prompt, (n,), by the model of its own fold.

    Each fold's are kept in `folder`, so that an interrupted run goes on after the last one.
    """
    owners = np.array([fold_of(prompt.source) for prompt in measured])
    found = np.zeros(len(measured), np.float32)
    for number, names in enumerate(FOLDS):
        rows = np.flatnonzero(owners == number)
        file = folder / f"fold-{number}.npy"
        if len(rows) and not file.exists():
            score = partial(_score, [measured[int(row)] for row in rows], recipe, source, folder)
            np.save(file, score(without(examples, names), progress))
        if len(rows):
            found[rows] = np.load(file)
    return found


def _score(
    measured: Sequence[LabelledPrompt],
    recipe: Recipe,
    source: Path,
    folder: Path,
    examples: Sequence[Example],
    progress: Progress,
) -> Floats:
    model = fit_model(examples, recipe, source, folder, progress)
    tell = counter("scoring", len(measured), progress)
    return prompt_logits(model, measured, recipe, source, folder, tell)
