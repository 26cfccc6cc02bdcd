"""The windows of a text that are read: its own, and those of its views as far as they are new.

Whatever a text consists of, in windows of each size at most about three times as many tokens are
read as it has, and `VIEWS_FREE` more: its own windows overlap by a quarter, and those of its views
have a share to keep to. Where they would be more, what reads least like words is left out.
"""

from collections.abc import Iterator, Sequence

from guard.screening.cutting.windows import cut
from guard.screening.prices.new_passages import NewPassages
from guard.screening.prices.opaque_runs import abridged, abridged_in_steps
from guard.screening.prices.token_estimate import tokens_in
from guard.screening.views.view import ViewLimits, each_view
from guard.screening.workers.turn import Turn
from guard.terms.detector import WindowSize

STRETCH = 30_000
"""Characters whose views are made at a time."""
STRETCH_OVERLAP = 10_000
"""Long enough for a whole prompt in any encoding."""
VIEWS_SHARE = 1.6
"""How many tokens the windows of views may have for each of the text's own: those of one reading of
all of it, and some."""
VIEWS_FREE = 1000
"""Tokens of views that are read of any text, however short."""


class ViewWindows:
    """One text's, in windows of several sizes."""

    def __init__(self, limits: ViewLimits, sizes: Sequence[WindowSize], turn: Turn) -> None:
        self._limits = limits
        self._turn = turn
        self._left = dict.fromkeys(sizes, float(VIEWS_FREE))
        self._said = NewPassages()

    def of(self, text: str) -> Iterator[str]:
        """The text in windows of each size, then what its views add to it."""
        shown = self._abridged(text)
        for size in self._left:
            yield from cut(shown, *size)
        overlap = 0
        for stretch in cut(text, STRETCH, STRETCH_OVERLAP):
            self._turn.pause()
            yield from self._of_views(stretch, overlap)
            overlap = STRETCH_OVERLAP

    def _abridged(self, text: str) -> str:
        found = []
        for _, shown in abridged_in_steps(text):
            self._turn.pause()
            found.append(shown)
        return "".join(found)

    def _of_views(self, stretch: str, overlap: int) -> Iterator[str]:
        found = []
        for view in each_view(stretch, self._limits):
            self._turn.pause()
            found.append(view.text)
        share = VIEWS_SHARE * tokens_in(stretch[overlap:])
        self._left = {size: left + share for size, left in self._left.items()}
        if len(found) == 1:
            return
        self._said.add(stretch)
        for text in sorted(found[1:], key=_strangeness):
            self._turn.pause()
            for passage in self._said.new_in(text):
                yield from self._affordable(abridged(passage))

    def _affordable(self, passage: str) -> Iterator[str]:
        for size in self._left:
            for window in cut(passage, *size):
                price = tokens_in(window)
                if price <= self._left[size]:
                    self._left[size] -= price
                    yield window


def _strangeness(text: str) -> float:
    """ASCII tokens for each character: words have few, what is still encoded has many."""
    return tokens_in(text.encode("ascii", "ignore").decode()) / len(text)
