"""Leave-one-source-out: every prompt is scored by a model that saw nothing of its source.

Sources that share material (collections of the same jailbreaks, say) are held out together.

The threshold of a held-out source is nested: it is set on benign prompts of the other sources,
which inner folds over those sources score, again without having seen them. So the false-positive
rate measured on an unseen benign source is the one that a deployment would get.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.evaluation.feature_modes import Fit, Scorer, TrainingRows
from classifiers.malicious.data.served_pieces import conversation_pieces, highest
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.thresholds import conformal_threshold
from guard.terms.detector import Features, Reader, Scores
from guard.terms.errors import ConfigError

Mask = NDArray[np.bool_]
Watch = Callable[[Sequence[str]], Iterable[str]]
"""Passes the sources through, showing progress."""


@dataclass(frozen=True, slots=True)
class PromptPieces:
    """Labelled prompts and the pieces that serving scores, with their features."""

    prompts: Sequence[LabelledPrompt]
    texts: Sequence[str]
    features: Features
    owner_index: NDArray[np.int64]

    @property
    def sources(self) -> NDArray[np.str_]:
        """Each prompt's source, shape (n,)."""
        return np.array([prompt.source for prompt in self.prompts])

    @property
    def malicious(self) -> Mask:
        """Whether each prompt is malicious, shape (n,)."""
        return np.array([prompt.label == "malicious" for prompt in self.prompts])

    def training_rows(self, mask: Mask) -> TrainingRows:
        """Each prompt of the mask by its first piece: the beginning of its own text."""
        owners, first = np.unique(self.owner_index, return_index=True)
        pieces = first[mask[owners]]
        kept = owners[mask[owners]]
        return TrainingRows(
            [self.texts[piece] for piece in pieces.tolist()],
            self.features[pieces],
            self.malicious[kept],
            self.sources[kept],
        )

    def score(self, scorer: Scorer, mask: Mask) -> Scores:
        """The scores of the mask's prompts, the highest over each one's pieces, shape (sum,)."""
        pieces = np.flatnonzero(mask[self.owner_index])
        scores = scorer([self.texts[piece] for piece in pieces.tolist()], self.features[pieces])
        place = np.cumsum(mask) - 1
        return highest(scores, place[self.owner_index[pieces]], int(mask.sum()))


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Out-of-source scores (n,), which of them fire (n,), and the threshold of each source."""

    scores: Scores
    fired: Mask
    thresholds: dict[str, float]


def leave_one_source_out(
    pieces: PromptPieces,
    fit: Fit,
    *,
    fpr: float = 0.01,
    folds: int = 5,
    groups: Mapping[str, str] | None = None,
    watch: Watch = iter,
) -> HeldOut:
    """Scores and verdicts of all prompts, each by a model and a threshold of other sources.

    `fpr` is what each nested threshold is set at, `folds` the inner folds; sources of equal value
    in `groups` are held out together. Raises ConfigError unless at least three groups of sources
    hold malicious and three hold benign prompts.
    """
    named, malicious = groups or {}, pieces.malicious
    group_of = np.array([named.get(str(source), str(source)) for source in pieces.sources])
    _check(group_of, malicious)
    scores = np.zeros(len(group_of), dtype=np.float32)
    fired = np.zeros(len(group_of), dtype=bool)
    thresholds: dict[str, float] = {}
    for name in watch(sorted(set(group_of.tolist()))):
        own = group_of == name
        scorer = fit(pieces.training_rows(~own))
        scores[own] = pieces.score(scorer, own)
        inner = _inner_scores(pieces, fit, ~own, _folds(group_of, malicious, ~own, folds))
        threshold = conformal_threshold(inner[~malicious & ~own], fpr)
        fired[own] = scores[own] >= threshold
        thresholds |= dict.fromkeys(pieces.sources[own].tolist(), threshold)
    return HeldOut(scores, fired, thresholds)


def _inner_scores(pieces: PromptPieces, fit: Fit, mask: Mask, fold_of: NDArray[np.int64]) -> Scores:
    """Out-of-fold scores of the mask's benign prompts, shape (n,); 0 for the others."""
    scores = np.zeros(len(mask), dtype=np.float32)
    for fold in np.unique(fold_of[mask]):
        held = mask & (fold_of == fold)
        benign = held & ~pieces.malicious
        if benign.any():
            scorer = fit(pieces.training_rows(mask & ~held))
            scores[benign] = pieces.score(scorer, benign)
    return scores


def _folds(
    group_of: NDArray[np.str_], malicious: Mask, mask: Mask, folds: int
) -> NDArray[np.int64]:
    """A fold for each row; groups stay whole, and both classes are spread over the folds."""
    mostly = {
        str(name): bool(malicious[mask & (group_of == name)].mean() > 0.5)
        for name in np.unique(group_of[mask])
    }
    order = sorted(mostly, key=lambda name: (mostly[name], name))
    # No more folds than groups of the rarer class, or a fold would take all of them.
    most = max(2, min(folds, sum(mostly.values()), len(mostly) - sum(mostly.values())))
    fold = {name: place % most for place, name in enumerate(order)}
    return np.array([fold.get(str(name), -1) for name in group_of])


def _check(group_of: NDArray[np.str_], malicious: Mask) -> None:
    for label, rows in (("malicious", malicious), ("benign", ~malicious)):
        found = len(set(group_of[rows].tolist()))
        if found < 3:
            raise ConfigError(
                "leave-one-source-out needs three groups of sources with "
                f"{label} prompts, found {found}"
            )


def make_pieces(
    prompts: Sequence[LabelledPrompt],
    encode_texts: Callable[[Sequence[str]], Features],
    reader: Reader,
) -> PromptPieces:
    """The pieces of prompts as serving cuts them, encoded by `encode_texts`."""
    pieces = conversation_pieces(prompts, reader)
    return PromptPieces(prompts, pieces.texts, encode_texts(pieces.texts), pieces.owner_index)
