"""Which texts of a request are read first where not all can be: what is new, and what strangers
wrote."""

from collections.abc import Sequence
from math import inf

from guard.screening.amounts import last_answer, message_of
from guard.terms.item import Item

Rank = tuple[bool, bool, float]
JOINED: Rank = (False, True, inf)
"""Of texts that are no item's own: after all that is new, before what is old."""


class Priorities:
    """The ranks of one request's texts; the smallest is read first."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._ranks: dict[str, Rank] = {}
        answered = last_answer(items)
        for item in items:
            rank = _rank(item, answered)
            self._ranks[item.text] = min(rank, self._ranks.get(item.text, rank))

    def rank(self, text: str) -> Rank:
        """What came since the last answer goes first, and of that what third parties wrote; then
        the newest. Settings and tools are as old as the conversation."""
        return self._ranks.get(text, JOINED)


def _rank(item: Item, answered: float) -> Rank:
    place = message_of(item)
    if place == inf:
        place = -1.0 if answered >= 0 else 0.0
    return place <= answered, item.author != "third_party", -place
