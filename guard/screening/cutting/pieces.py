"""What detectors read: every item's views and windows, and windows over several items.

A piece is one text to score; it names the items it stands for. An item's score is the highest over
its pieces, so neither disguise, padding nor splitting over turns hides a prompt.

Joined items speak for all items they cover, so they count only where none of those fires alone:
otherwise one bad turn would taint its harmless neighbours. The items that fired are then left out
and the rest is joined anew, so that a decoy turn shields nothing.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guard.detectors.sentences import sentences
from guard.screening.cutting.item_order import order_of
from guard.screening.cutting.seams import Found, Seams
from guard.screening.cutting.view_windows import ViewWindows
from guard.screening.views.view import ViewLimits
from guard.screening.workers.turn import OWN_TIME, Turn
from guard.terms.detector import WINDOWS, Reader, Scores, WindowSize
from guard.terms.item import Item


@dataclass(frozen=True, slots=True)
class Pieces:
    """Distinct texts to score, and for each the indices of the items it stands for."""

    texts: tuple[str, ...]
    items: tuple[tuple[int, ...], ...]

    def cut(
        self,
        limits: ViewLimits,
        sizes: Sequence[WindowSize] = WINDOWS,
        turn: Turn = OWN_TIME,
    ) -> "Pieces":
        """Every text and what its views add, in windows of each of the sizes."""
        found: Found = {}
        for text, items in zip(self.texts, self.items, strict=True):
            for window in ViewWindows(limits, sizes, turn).of(text):
                found.setdefault(window, set()).update(items)
        return gathered(found)

    def fitted(self, reader: Reader) -> "Pieces":
        """The same pieces, cut again where one has more tokens than the model reads.

        Windows are cut by characters, which is fast; symbols and dense scripts have a token per
        character or more (a Hangul syllable is up to three), so all but short ASCII is counted.
        """
        most = reader.window_tokens
        if most is None:
            return self
        found: Found = {}
        for text, items in zip(self.texts, self.items, strict=True):
            # One token may be the space that some tokenizers put before the first word.
            whole = len(text) < most and text.isascii()
            ranges = [(0, len(text))] if whole else reader.windows(text, most, most * 3 // 4)
            for start, end in ranges:
                found.setdefault(text[start:end], set()).update(items)
        return gathered(found)

    def with_sentences(self) -> "Pieces":
        """The same pieces, and the sentences of each that has several."""
        found = {text: set(items) for text, items in zip(self.texts, self.items, strict=True)}
        for text, items in zip(self.texts, self.items, strict=True):
            for sentence in sentences(text):
                found.setdefault(sentence, set()).update(items)
        return gathered(found)

    def item_scores(self, scores: Scores, count: int) -> NDArray[np.float32]:
        """Each item's highest score, shape (count,), from the pieces' scores."""
        highest = np.zeros(count, dtype=np.float32)
        for score, items in zip(scores, self.items, strict=True):
            for index in items:
                highest[index] = max(highest[index], score)
        return highest


def own_pieces(
    items: Sequence[Item], limits: ViewLimits, sizes: Sequence[WindowSize] = WINDOWS
) -> Pieces:
    """The pieces of each item by itself, in windows of `sizes`; equal texts are scored once."""
    return own_texts(items).cut(limits, sizes)


def joined_pieces(
    items: Sequence[Item],
    limits: ViewLimits,
    without: Collection[int] = (),
    sizes: Sequence[WindowSize] = WINDOWS,
) -> Pieces:
    """The pieces of all turns joined, and of each turn's parts; `without` are left out."""
    return joined_texts(items, without, sizes).cut(limits, sizes)


def own_texts(items: Sequence[Item], without: Collection[int] = ()) -> Pieces:
    """Each item by itself, not cut yet; `without` are left out."""
    found: Found = {}
    for index, item in enumerate(items):
        if (
            index not in without and item.text.strip()
        ):  # a blank part is only there to be joined with its neighbours
            found.setdefault(item.text, set()).add(index)
    return gathered(found)


def joined_texts(
    items: Sequence[Item],
    without: Collection[int] = (),
    sizes: Sequence[WindowSize] = WINDOWS,
) -> Pieces:
    """Turns joined in their order, in windows, without views; `without` are left out."""
    return gathered(Seams(items, order_of(items)).as_read(sizes, without))


def gathered(found: Found) -> Pieces:
    """Texts and the items of each, as pieces."""
    return Pieces(tuple(found), tuple(tuple(sorted(members)) for members in found.values()))
