"""Prompts as serving scores them: every view and window of each, and the highest score counts.

Training, thresholds and evaluation use it, so that none of them sees another text than serving.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.encoder.features import FeatureCache, encode
from classifiers.prompts.labelled import LabelledPrompt
from guard.screening.cutting.pieces import joined_pieces, own_pieces
from guard.screening.views.view import ViewLimits
from guard.terms.detector import WINDOWS, Encoder, Features, Reader, Scores
from guard.terms.item import Item

Owners = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ServedPieces:
    """The texts that serving scores, and for each the index of its prompt, shape (m,).

    The pieces of one prompt follow each other, its text's first window foremost; of a conversation
    the first window of its joined turns.
    """

    texts: tuple[str, ...]
    owner_index: Owners


@dataclass(frozen=True, slots=True)
class PieceFeatures:
    """Features (m, width) of m pieces, and for each the index of its prompt, shape (m,)."""

    features: Features
    owner_index: Owners

    def first_of_each(self, count: int) -> Features:
        """The features of each prompt's first piece, shape (count, width); ValueError without."""
        owners, rows = np.unique(self.owner_index, return_index=True)
        if len(owners) != count:
            raise ValueError(f"{count - len(owners)} of {count} prompts have no piece")
        return self.features[rows]


def served_pieces(
    texts: Sequence[str], reader: Reader | None = None, limits: ViewLimits | None = None
) -> ServedPieces:
    """Views and windows of each text, cut to what `reader` reads, where that is bounded.

    `limits` are those of the proxy when None. A text of white space alone has no piece.
    """
    return _pieces([(text,) for text in texts], reader, limits or ViewLimits())


def conversation_pieces(
    prompts: Sequence[LabelledPrompt],
    reader: Reader | None = None,
    limits: ViewLimits | None = None,
) -> ServedPieces:
    """As `served_pieces`; of a conversation every turn, and the turns joined.

    Screening judges joined turns only where none of them fires alone, so that a request fires when
    the highest of all these pieces does.
    """
    said = [prompt.turns or (prompt.text,) for prompt in prompts]
    return _pieces(said, reader, limits or ViewLimits())


def _pieces(
    said: Sequence[tuple[str, ...]], reader: Reader | None, limits: ViewLimits
) -> ServedPieces:
    sizes = reader.window_sizes if reader else WINDOWS
    found: list[str] = []
    owners: list[int] = []
    for index, turns in enumerate(said):
        items = [_turn(text, turn) for turn, text in enumerate(turns)]
        parts = [own_pieces(items, limits, sizes)]
        if len(items) > 1:
            parts.insert(0, joined_pieces(items, limits, sizes=sizes))
        fitted = [part.fitted(reader) if reader else part for part in parts]
        texts = dict.fromkeys(text for part in fitted for text in part.texts)
        found.extend(texts)
        owners.extend([index] * len(texts))
    return ServedPieces(tuple(found), np.array(owners, dtype=np.int64))


def encode_pieces(
    prompts: Sequence[LabelledPrompt],
    encoder: Encoder,
    cache: FeatureCache | None = None,
    *,
    label: str | None = None,
) -> PieceFeatures:
    """Features of all pieces of the prompts; equal pieces are encoded once, cached ones not at all.

    With a `label`, a progress bar of that name is shown on standard error.
    """
    pieces = conversation_pieces(prompts, encoder)
    features = encode(pieces.texts, encoder, cache=cache, label=label)
    return PieceFeatures(features, pieces.owner_index)


def highest(scores: Scores, owner_index: Owners, count: int) -> Scores:
    """Each prompt's highest piece score, shape (count,); 0 for a prompt without a piece."""
    best = np.full(count, -np.inf, dtype=np.float32)
    np.maximum.at(best, owner_index, scores)
    best[np.bincount(owner_index, minlength=count) == 0] = 0.0
    return best


def _turn(text: str, turn: int) -> Item:
    # Every second message is the model's answer.
    return Item(("messages", 2 * turn, "content"), "user", text, corruptible=True)
