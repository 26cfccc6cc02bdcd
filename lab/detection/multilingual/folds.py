"""Each fold's measured prompts, scored by a model that learned from the other folds' sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.data.twins import SOURCE as TWINS
from classifiers.malicious.fine_tuning.artifact import TextModel
from classifiers.malicious.fine_tuning.examples import Example
from classifiers.malicious.fine_tuning.token_states import TokenStates
from classifiers.malicious.fine_tuning.training import counter
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.runs.step_progress import Progress
from lab.detection.multilingual.calibrate import spread_of
from lab.detection.multilingual.examples import Amounts, build_examples
from lab.detection.multilingual.model import (
    WindowLogits,
    fit_model,
    load_model,
    save_model,
    window_logits,
)
from lab.detection.multilingual.recipe import Recipe
from lab.detection.multilingual.sensitive_rows import added_rows
from lab.detection.multilingual.sources import FOLDS, fold_of

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]


def all_examples(prompts: Sequence[LabelledPrompt], recipe: Recipe) -> list[Example]:
    """What the model that ships learns from, texts that repeat once."""
    found = build_examples(prompts, Amounts().scaled(recipe.scale)) + added_rows()
    return list({example.text: example for example in found}.values())


@dataclass(frozen=True, slots=True)
class Lessons:
    """All examples, their states, and by which recipe and encoder a model learns from them."""

    examples: Sequence[Example]
    states: TokenStates
    recipe: Recipe
    source: Path
    folder: Path
    """Where states and logits are kept, so that an interrupted run goes on."""
    earlier: Path | None = None
    """Where models of an earlier run lie, `folder` of theirs, to go on from; those that it lacks
    begin with the pretrained encoder."""

    def model(self, number: int | None, progress: Progress) -> TextModel:
        """The model of all examples in which no source of that fold has a part, or (None) of all;
        once trained it is kept."""
        name = f"model-{'all' if number is None else number}.safetensors"
        file = self.folder / name
        if file.exists():
            return load_model(file, self.recipe, self.source)
        model = fit_model(
            self.examples,
            self._chosen(number),
            self.states,
            self.recipe,
            self.source,
            progress,
            self.earlier / name if self.earlier else None,
        )
        save_model(model, file)
        return model

    def _chosen(self, number: int | None) -> Indices:
        """The recipe's share of the examples that no source of the fold has a part in."""
        names = frozenset[str]() if number is None else FOLDS[number]
        clean = [n for n, e in enumerate(self.examples) if not e.sources & names]
        rng = np.random.default_rng([self.recipe.seed, 41])
        kept = rng.permutation(len(clean))[: max(1, round(len(clean) * self.recipe.share))]
        return np.sort(np.array(clean, np.int64)[kept])

    def score(
        self, model: TextModel, prompts: Sequence[LabelledPrompt], file: Path, progress: Progress
    ) -> None:
        """Write the logits of the prompts' windows to the file."""
        tell = counter("scoring", len(prompts), progress)
        found = window_logits(model, prompts, self.recipe, self.source, self.folder, tell)
        np.savez(file, tower=found.tower, lexical=found.lexical, owners=found.owners)


def held_out_logits(
    measured: Sequence[LabelledPrompt],
    others: Sequence[LabelledPrompt],
    lessons: Lessons,
    progress: Progress,
) -> Floats:
    """The logit of each measured prompt, (n,), by the model of its own fold; `others`, which no
    model learns from, are scored by each."""
    owners = np.array([fold_of(prompt.source) for prompt in measured])
    found = np.zeros(len(measured), np.float32)
    for number in range(len(FOLDS)):
        rows = np.flatnonzero(owners == number)
        if not len(rows):
            continue
        file = lessons.folder / f"fold-{number}.npz"
        if not file.exists():
            model = lessons.model(number, progress)
            if others:
                lessons.score(model, others, lessons.folder / f"others-{number}.npz", progress)
            lessons.score(model, [measured[int(row)] for row in rows], file, progress)
        found[rows] = read_logits(file, lessons.recipe)
    return found


def read_logits(file: Path, recipe: Recipe) -> Floats:
    """The prompts' logits by the recipe's shares, (n,), from what `Lessons.score` wrote."""
    with np.load(file) as kept:
        return WindowLogits(kept["tower"], kept["lexical"], kept["owners"]).highest(recipe)


def spread(others: Sequence[LabelledPrompt], lessons: Lessons) -> float:
    """`calibrate.spread_of` by the generators' held-out harmless twins among `others`."""
    rows = _harmless_twins(others)
    if not rows:
        return 0.0
    of_all = read_logits(lessons.folder / "others-all.npz", lessons.recipe)
    return spread_of(of_all[rows], list(twin_logits(others, lessons).values()))


def twin_logits(others: Sequence[LabelledPrompt], lessons: Lessons) -> dict[int, Floats]:
    """By fold: what its model says of the held-out harmless twins among `others`, (m,)."""
    rows = _harmless_twins(others)
    names = {number: lessons.folder / f"others-{number}.npz" for number in range(len(FOLDS))}
    read = {n: read_logits(file, lessons.recipe) for n, file in names.items() if file.exists()}
    return {number: logits[rows] for number, logits in read.items()} if rows else {}


def _harmless_twins(others: Sequence[LabelledPrompt]) -> list[int]:
    return [n for n, p in enumerate(others) if p.source == TWINS and p.label == "benign"]
