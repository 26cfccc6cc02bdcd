"""Every turn of a request as the last one of its conversation, for models that judge it so."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from guard.terms.conversation import LastTurn, Said, latest, turns_of
from guard.terms.item import Author, Item


class LastTurns:
    """The pieces of each item, each behind the turns that came before that item.

    `contents` are what a detector is asked about, by digest.
    """

    def __init__(
        self,
        items: Sequence[Item],
        authors: frozenset[Author],
        pieces: Mapping[str, Sequence[str]],
        characters: int,
    ) -> None:
        """`pieces` are those of each item's text, where it has some; of earlier turns the last
        `characters` are kept."""
        self.contents: dict[str, LastTurn] = {}
        self._by_item: list[list[str]] = []
        said: list[Said] = []
        for item in items:
            own = pieces.get(item.text, ()) if item.author in authors else ()
            before = latest(said, characters) if own else ()
            asked = {turn.digest: turn for turn in (LastTurn(piece, before) for piece in own)}
            self.contents.update(asked)
            self._by_item.append(list(asked))
            said += turns_of([item])

    def item_scores(self, scores: Mapping[str, float]) -> NDArray[np.float32]:
        """Each item's highest score, shape (number of items,), from those of the digests."""
        found = (max((scores[name] for name in own), default=0.0) for own in self._by_item)
        return np.fromiter(found, dtype=np.float32, count=len(self._by_item))
