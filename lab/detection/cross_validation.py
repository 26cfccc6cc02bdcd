"""Scores of prompts by models that saw nothing of their group of sources.

Sources that share material stand in one group. Every group is held out once, malicious and benign
sources alike; generated prompts are learned from unless a part of theirs is held out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.anchor import fit_anchor
from classifiers.malicious.fine_tuning.artifact import most_tokens
from classifiers.malicious.fine_tuning.examples import (
    Mixture,
    build_examples,
    labels_of,
    weights_of,
    without,
)
from classifiers.malicious.fine_tuning.lexical import fit_table, ngram_matrix
from classifiers.malicious.fine_tuning.optimisation import Examples, predict, train_tower
from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.malicious.fine_tuning.soup import stir_soup
from classifiers.malicious.fine_tuning.token_states import TokenStates, compute_states
from classifiers.malicious.fine_tuning.training import (
    ANCHOR_SHARE,
    LEXICAL_SHARE,
    counter,
    new_tower,
    tokenize,
)
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.runs.step_progress import Progress
from guard.detectors.sentences import sentences
from guard.screening.cutting.windows import cut
from guard.terms.detector import WindowSize

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
FIRST_SEED = 1
"""Of the runs of a soup; what ships was made so."""


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """Logits (m,) of m pools of windows and sentences by tuned head, anchor and table, which
    prompt each belongs to, (m,), and whether its text is only a sentence, (m,); all pools of a
    text have the table's logit of the whole."""

    tuned: Floats
    anchor: Floats
    lexical: Floats
    owner_index: NDArray[np.int64]
    sentence: NDArray[np.bool_]

    def of_prompts(self, settings: FineTuning, count: int) -> Floats:
        """Each prompt's highest mixed logit, shape (count,); -inf without a window. Sentences
        count as the margin of the settings says."""
        mixed = self.tuned + np.float32(ANCHOR_SHARE) * self.anchor
        mixed = mixed + np.float32(LEXICAL_SHARE) * self.lexical
        less = np.inf if settings.sentence_margin is None else settings.sentence_margin
        mixed = np.where(self.sentence, mixed - np.float32(less), mixed)
        best = np.full(count, -np.inf, dtype=np.float32)
        np.maximum.at(best, self.owner_index, mixed)
        return best


@dataclass(frozen=True, slots=True)
class Fitted:
    """A tuned tower, and weights and bias of the anchor and of the lexical table."""

    tower: "Tower"
    anchor: tuple[Floats, float]
    table: tuple[Floats, float]


class HeldOutGroups:
    """Prompts to measure on, examples to learn from, and their token states, computed once."""

    def __init__(
        self,
        training: Sequence[LabelledPrompt],
        measured: Sequence[LabelledPrompt],
        settings: FineTuning,
        source: Path,
        cache: Path,
        mixture: Mixture | None = None,
        progress: Progress | None = None,
    ) -> None:
        """`source` is the encoder's folder; `cache` keeps the states."""
        self.settings, self._source, self._progress = settings, source, progress
        self.examples = build_examples(training, mixture or Mixture())
        self._texts, self._owners, self._sentence = _pieces(measured, settings.windows)
        self._learned = self._computed([example.text for example in self.examples], cache)
        self._read = self._computed(self._texts, cache)

    def score(self, fitted: Fitted, prompts: NDArray[np.int64]) -> WindowLogits:
        """Logits of all windows and their sentences of `prompts`, which are indices of those
        measured."""
        rows = np.flatnonzero(np.isin(self._owners, prompts))
        texts = [self._texts[row] for row in rows]
        places = self._read.places(texts)
        tuned = predict(fitted.tower, self._read.states, places)
        features, owners = self._read.features(places)
        anchor = features @ fitted.anchor[0] + np.float32(fitted.anchor[1])
        matrix = ngram_matrix(texts)
        lexical = (matrix @ fitted.table[0]).astype(np.float32) + np.float32(fitted.table[1])
        of_pools = rows[owners]
        return WindowLogits(
            tuned, anchor, lexical[owners], self._owners[of_pools], self._sentence[of_pools]
        )

    def fit(self, held_out: frozenset[str], name: str) -> Fitted:
        """Tower, anchor and table that saw nothing of the sources of `held_out`."""
        chosen = without(self.examples, held_out)
        texts = [example.text for example in chosen]
        settings = self.settings
        learned = Examples(self._learned.places(texts), labels_of(chosen), weights_of(chosen))
        features = self._learned.features(learned.windows)
        anchor = fit_anchor(*features, learned.labels, learned.weights)
        table = fit_table(texts, learned.labels, learned.weights)
        total = len(chosen) * settings.epochs * settings.soup
        count = counter(name, total, self._progress)

        def train(tower: "Tower", seed: int) -> None:
            states = self._learned.states
            train_tower(
                tower, states, learned, settings, seed=seed, tell=lambda rows, _: count(rows)
            )

        new = partial(new_tower, self._source, settings.frozen_layers)
        return Fitted(stir_soup(new, train, FIRST_SEED, settings.soup), anchor, table)

    def _computed(self, texts: Sequence[str], cache: Path) -> "_Texts":
        distinct = list(dict.fromkeys(texts))
        tokens = tokenize(distinct, self._source, most_tokens(self._source))
        count = counter("states", len(tokens), self._progress)
        states = compute_states(
            new_tower(self._source, self.settings.frozen_layers), tokens, cache, count
        )
        return _Texts(states, {text: place for place, text in enumerate(distinct)})


@dataclass(frozen=True, slots=True)
class _Texts:
    """Token states of texts, and where those of each are."""

    states: TokenStates
    place: Mapping[str, int]

    def places(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([self.place[text] for text in texts], dtype=np.int64)

    def features(self, places: NDArray[np.int64]) -> tuple[Floats, NDArray[np.int64]]:
        """Features (pools, width) of these texts' pools, and which of the texts each is of."""
        pools, owners = self.states.pools(places)
        return self.states.features[pools].astype(np.float32), owners


def _pieces(
    prompts: Sequence[LabelledPrompt], sizes: Sequence[WindowSize]
) -> tuple[list[str], NDArray[np.int64], NDArray[np.bool_]]:
    """All windows of all prompts as serving cuts them, and their sentences; the index of each
    one's prompt, and whether it is only a sentence."""
    found: list[str] = []
    owners: list[int] = []
    sentence: list[bool] = []
    for index, prompt in enumerate(prompts):
        windows = dict.fromkeys(w for size in sizes for w in cut(prompt.text, *size))
        parts = {part: True for window in windows for part in sentences(window)}
        own = parts | dict.fromkeys(windows, False)
        found.extend(own)
        owners.extend([index] * len(own))
        sentence.extend(own.values())
    return found, np.array(owners, dtype=np.int64), np.array(sentence, dtype=np.bool_)
