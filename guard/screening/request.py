"""One request on its way through screening."""

from collections.abc import Sequence
from dataclasses import dataclass

from guard.screening.budget.spending import Spending
from guard.screening.policy import Policy
from guard.screening.reading import Reading
from guard.screening.workers.worker_pool import Asker
from guard.terms.item import Item, Side
from guard.terms.rendering import RenderingSource

CHARACTER_S = 1e-4
"""Seconds that a character takes: about, for it decides only who of one caller's requests goes
first."""


@dataclass(slots=True)
class Request:
    """What is judged, by whom, for whom, joined by what `rendering`.

    `counts` says whether metrics hold the verdict.
    """

    items: Sequence[Item]
    policies: Sequence[Policy]
    owner: str
    side: Side
    reading: Reading
    spending: Spending
    size: int
    counts: bool
    rendering: RenderingSource | None = None

    @property
    def asker(self) -> Asker:
        """Whose turn it takes, and for about how long."""
        return asker(self.owner, self.size)


def asker(owner: str, size: int) -> Asker:
    """Whose turn work on so many characters takes, and for about how long."""
    return Asker(owner, size * CHARACTER_S)


def size_of(items: Sequence[Item]) -> int:
    """Characters of all texts, bytes of all pictures."""
    return sum(map(_size, items))


def _size(item: Item) -> int:
    content = item.content
    return len(content) if isinstance(content, str) else len(content.data)
