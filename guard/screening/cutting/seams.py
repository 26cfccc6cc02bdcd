"""Windows over the seams of a rendering: what the model reads as one, though it is several texts.

A text that stands whole in one item is read by itself (`pieces`); what is added here are the
windows that cross from one text into the next. Windows begin at the first text, so a new turn
changes only those at the end. A long text shows its ends alone.

Whose words meet at a seam matters. A window is judged by the rule of its least trusted author. A
detector that reads windows is given no words of authors that it does not judge: they end the run;
only the assistant's stand between two texts that it judges. One that finds words is given those of
more trusted authors as context. Of context there is so much as stands next to what is judged.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from guard.screening.cutting.item_order import is_said
from guard.screening.cutting.windows import bounds
from guard.terms.detector import WindowSize
from guard.terms.item import AUTHORS, Author, Item
from guard.terms.rendering import LINE, Order, Rendering, Segment

TRUST: tuple[Author, ...] = ("operator", "developer", "assistant", "user", "third_party")
"""From the most trusted author to the least."""
CONTEXT = 200
"""Characters of a text that is not judged itself, beside one that is."""
MESSAGE_DEPTH = 3
"""Steps of a path that the parts of one message share: messages, its index, content."""
BETWEEN = frozenset[Author]({"assistant"})
BESIDE = frozenset(AUTHORS)
"""Whose words may be context: for models, and for who finds words."""
SENTENCE_ENDS = ".!?。！？ \t\n"

Found = dict[str, set[int]]
"""Windows, and the items that each touches."""


@dataclass(frozen=True)
class Seams:
    """The windows over the seams of a request for those who judge what some authors wrote."""

    items: Sequence[Item]
    rendering: Rendering
    authors: frozenset[Author] = frozenset(AUTHORS)

    def as_read(self, sizes: Sequence[WindowSize], without: Collection[int] = ()) -> Found:
        """Windows that touch two items or more that are judged, joined as the template joins them;
        and those over texts that stop inside a sentence or a word, with nothing between them."""
        found: Found = {}
        for order in self.rendering.orders:
            for size in sizes:
                for run in self._runs(order, size, without, BETWEEN):
                    self._add(found, run, size, judged=2)
                    for cut in self._unended(run):
                        self._add(found, _jointed(cut, ""), size, judged=2)
        return found

    def in_any_way(self, sizes: Sequence[WindowSize], without: Collection[int] = ()) -> Found:
        """Windows that touch two texts or more, in every order and with every joint: cut inside a
        word and at a space that is lost."""
        found: Found = {}
        for order in (*self.rendering.orders, *self.rendering.variants):
            for size in sizes:
                for run in self._runs(order, size, without, BESIDE):
                    for joined in (run, _jointed(run, ""), _jointed(run, LINE)):
                        self._add(found, joined, size, judged=1)
        return found

    def _runs(
        self, order: Order, size: WindowSize, without: Collection[int], context: frozenset[Author]
    ) -> list[Order]:
        """The stretches of an order that may be read as one: of two texts or more."""
        runs: list[list[Segment]] = [[]]
        for segment in order:
            if segment.item in without or not segment.text:
                continue
            most = self._most(segment.item, size, context)
            if not most:
                runs.append([])
                continue
            ends = _ends(segment.text, most)
            runs[-1].append(segment._replace(text=ends[0]))
            runs.extend([segment._replace(text=end)] for end in ends[1:])
        return [tuple(run) for run in runs if len(run) > 1]

    def _most(self, item: int, size: WindowSize, context: frozenset[Author]) -> int:
        """Characters from either end of an item's text that may stand in a window."""
        author = self.items[item].author
        if author in self.authors:
            return size.characters
        judged = TRUST.index(least_trusted(self.authors))
        return CONTEXT if author in context and TRUST.index(author) < judged else 0

    def _unended(self, run: Order) -> Iterator[Order]:
        """Stretches that go on where a sentence or a word stops short, or that are parts of one
        message: of two texts or more."""
        stretch = list(run[:1])
        for before, after in pairwise(run):
            if self._goes_on(before, after):
                stretch.append(after)
                continue
            if len(stretch) > 1:
                yield tuple(stretch)
            stretch = [after]
        if len(stretch) > 1:
            yield tuple(stretch)

    def _goes_on(self, before: Segment, after: Segment) -> bool:
        pair = [self.items[segment.item] for segment in (before, after)]
        if not all(map(is_said, pair)):  # the notation of calls and tools stands between
            return False
        message, other = (item.path for item in pair)
        if len(message) > MESSAGE_DEPTH and message[:MESSAGE_DEPTH] == other[:MESSAGE_DEPTH]:
            return True
        if not before.text.strip() or not after.text.strip():
            return True
        return bool(before.text[-1:].strip(SENTENCE_ENDS) and after.text[:1].strip())

    def _add(self, found: Found, run: Order, size: WindowSize, *, judged: int) -> None:
        """Note the windows that touch so many items which are judged, or more."""
        for text, segments in _windows(run, size):
            items = {segment.item for segment in segments}
            authors = [self.items[index].author for index in items]
            own = sum(author in self.authors for author in authors)
            if own >= judged and least_trusted(authors) in self.authors:
                found.setdefault(text, set()).update(items)


def least_trusted(authors: Iterable[Author]) -> Author:
    """The author whose rule counts where the words of several meet."""
    return max(authors, key=TRUST.index)


def _ends(text: str, most: int) -> tuple[str, ...]:
    """The text, or its first and last `most` characters where it is longer than both."""
    return (text,) if len(text) <= 2 * most else (text[:most], text[-most:])


def _windows(run: Order, size: WindowSize) -> Iterator[tuple[str, Order]]:
    """Windows that touch two texts or more, and those texts."""
    parts = [(segment.joint if place else "") + segment.text for place, segment in enumerate(run)]
    whole = "".join(parts)
    starts = [0, *accumulate(map(len, parts))][: len(parts)]
    for start, end in bounds(whole, *size):
        first = max(bisect_right(starts, start) - 1, 0)
        last = bisect_left(starts, end)
        if last - first >= 2:
            yield whole[start:end], run[first:last]


def _jointed(run: Order, joint: str) -> Order:
    return tuple(segment._replace(joint=joint) for segment in run)
