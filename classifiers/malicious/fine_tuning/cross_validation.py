"""Scores of prompts by models that saw nothing of their group of sources.

Sources that share material stand in one group. Every group is held out once, malicious and benign
sources alike; generated prompts are learned from unless a part of theirs is held out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.labelled_prompts import LabelledPrompt
from classifiers.malicious.fine_tuning.anchor import fit_anchor, set_anchor
from classifiers.malicious.fine_tuning.artifact import TextModel, most_tokens
from classifiers.malicious.fine_tuning.examples import (
    build_examples,
    labels_of,
    weights_of,
    without,
)
from classifiers.malicious.fine_tuning.lexical import fit_table, ngram_matrix
from classifiers.malicious.fine_tuning.optimisation import Examples, predict, train_tower
from classifiers.malicious.fine_tuning.token_states import TokenStates, compute_states
from classifiers.malicious.fine_tuning.training import (
    FineTuning,
    Progress,
    counter,
    new_tower,
    tokenize,
)
from guard.detectors.contract import WindowSize
from guard.screening.windows import cut

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """Logits (m,) of m windows by tuned head, anchor and table, and whose each is, (m,)."""

    tuned: Floats
    anchor: Floats
    lexical: Floats
    owner_index: NDArray[np.int64]

    def of_prompts(self, recipe: FineTuning, count: int) -> Floats:
        """Each prompt's highest mixed logit, shape (count,); -inf without a window."""
        mixed = self.tuned + np.float32(recipe.anchor_share) * self.anchor
        mixed = mixed + np.float32(recipe.lexical_share) * self.lexical
        best = np.full(count, -np.inf, dtype=np.float32)
        np.maximum.at(best, self.owner_index, mixed)
        return best


@dataclass(frozen=True, slots=True)
class Fitted:
    """A tuned tower, and weights and bias of the anchor and of the lexical table."""

    tower: "Tower"
    anchor: tuple[Floats, float]
    table: tuple[Floats, float]

    def mixed(self, recipe: FineTuning) -> TextModel:
        """The three as one model, mixed as the recipe says."""
        set_anchor(self.tower, *self.anchor, recipe.anchor_share)
        share = recipe.lexical_share
        mixing = np.array([1.0, share, share * self.table[1]], dtype=np.float32)
        return TextModel(self.tower, self.table[0], mixing, recipe.windows)


class HeldOutGroups:
    """Prompts to measure on, examples to learn from, and their token states, computed once."""

    def __init__(
        self,
        training: Sequence[LabelledPrompt],
        measured: Sequence[LabelledPrompt],
        recipe: FineTuning,
        source: Path,
        cache: Path,
        progress: Progress | None = None,
    ) -> None:
        """`source` is the encoder's folder; `cache` keeps the states."""
        self.recipe, self._source, self._progress = recipe, source, progress
        self.examples = build_examples(training, recipe.mixture)
        windows, owners = _windows(measured, recipe.windows)
        self._owners = owners
        self._texts = list(dict.fromkeys([e.text for e in self.examples] + windows))
        self._place = {text: place for place, text in enumerate(self._texts)}
        self._windows = windows
        tower = new_tower(source, recipe)
        tokens = tokenize(self._texts, source, most_tokens(source))
        count = counter("states", len(tokens), progress)
        self._states: TokenStates = compute_states(tower, tokens, cache, count)

    def score(self, fitted: Fitted, prompts: NDArray[np.int64]) -> WindowLogits:
        """Logits of all windows of `prompts`, which are indices of those measured."""
        rows = np.flatnonzero(np.isin(self._owners, prompts))
        texts = [self._windows[row] for row in rows]
        places = self._places(texts)
        tuned = predict(fitted.tower, self._states, places, most_tokens(self._source))
        anchor = self._features(places) @ fitted.anchor[0] + np.float32(fitted.anchor[1])
        matrix = ngram_matrix(texts, self.recipe.buckets)
        lexical = (matrix @ fitted.table[0]).astype(np.float32) + np.float32(fitted.table[1])
        return WindowLogits(tuned, anchor, lexical, self._owners[rows])

    def fit(self, held_out: frozenset[str], name: str) -> Fitted:
        """Tower, anchor and table that saw nothing of the sources of `held_out`."""
        chosen = without(self.examples, held_out)
        texts = [example.text for example in chosen]
        learned = Examples(self._places(texts), labels_of(chosen), weights_of(chosen))
        recipe, how = self.recipe, self.recipe.optimisation
        anchor = fit_anchor(self._features(learned.windows), learned.labels, learned.weights)
        table = fit_table(
            texts,
            learned.labels,
            learned.weights,
            buckets=recipe.buckets,
            strength=recipe.lexical_strength,
        )
        tower = new_tower(self._source, recipe)
        count = counter(name, len(chosen) * how.epochs, self._progress)
        train_tower(tower, self._states, learned, how, report=lambda rows, _: count(rows))
        return Fitted(tower, anchor, table)

    def _features(self, places: NDArray[np.int64]) -> Floats:
        return self._states.features[places].astype(np.float32)

    def _places(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self._place[text] for text in texts], dtype=np.int64)


def _windows(
    prompts: Sequence[LabelledPrompt], sizes: Sequence[WindowSize]
) -> tuple[list[str], NDArray[np.int64]]:
    """All windows of all prompts as serving cuts them, and the index of each one's prompt."""
    texts: list[str] = []
    owners: list[int] = []
    for index, prompt in enumerate(prompts):
        found = list(dict.fromkeys(w for size in sizes for w in cut(prompt.text, *size)))
        texts.extend(found)
        owners.extend([index] * len(found))
    return texts, np.array(owners, dtype=np.int64)
