"""Thresholds of a detector: by who wrote a text, and by how much a request makes it read.

A request fires when the highest of all its scores does, so a threshold that one short prompt in a
hundred reaches is reached by many a long conversation. `reads` is the number of windows that a
request makes a detector read; thresholds rise with it.
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import log
from typing import Self

SMALLEST = 1e-7
"""How near to 1 a threshold is told from it."""
WINDOW_STEP = 600
"""Characters from one window to the next, for counting what is read."""


@dataclass(frozen=True, slots=True)
class Steps:
    """A threshold that rises with what is read: from `starts[i]` windows on it is `values[i]`.

    Both ascend; `starts` begins with 1.
    """

    starts: tuple[int, ...]
    values: tuple[float, ...]

    @classmethod
    def constant(cls, value: float) -> Self:
        """The same threshold for every request."""
        return cls((1,), (value,))

    def at(self, reads: int) -> float:
        """The threshold for a request that makes a detector read so many windows."""
        return self.values[max(0, bisect_right(self.starts, reads) - 1)]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Steps for everybody's texts, and other ones for some authors'."""

    steps: Steps
    by_author: Mapping[str, Steps] = field(default_factory=dict)

    @classmethod
    def constant(cls, value: float) -> Self:
        """One threshold for every author and every request."""
        return cls(Steps.constant(value))

    @property
    def lowest(self) -> float:
        """Everybody's threshold for a request of one window."""
        return self.steps.at(1)

    @property
    def least(self) -> float:
        """The lowest of all authors'."""
        return min(steps.at(1) for steps in (self.steps, *self.by_author.values()))

    def at(self, author: str, reads: int) -> float:
        """The threshold for an author's text in a request that makes a detector read `reads`
        windows."""
        return self.by_author.get(author, self.steps).at(reads)

    @property
    def vary(self) -> bool:
        """Whether some author or some request has another one."""
        return bool(self.by_author) or len(self.steps.starts) > 1

    def discount(self, author: str, reads: int) -> float:
        """How many log odds that threshold stands above the lowest one; below it if negative.

        Taken off a score, it makes one threshold do for all.
        """
        return _log_odds(self.at(author, reads)) - _log_odds(self.lowest)


def _log_odds(threshold: float) -> float:
    return log(threshold / max(1.0 - threshold, SMALLEST))


def windows_of(characters: int) -> int:
    """How many windows a text of so many characters counts for; at least one."""
    return 1 + max(0, characters - 1) // WINDOW_STEP
