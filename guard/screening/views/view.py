"""The views of a text: itself, and what it says once disguises are taken off.

First step of screening: detectors score every view and the highest score counts. Ordinary text of
any script has one view, itself; a disguise must show before any work is done for it.

Disguises are undone one after the other, each on the result of the one before, in up to
`2 * depth` rounds, so nested disguises come off in whatever order they were put on. Every
intermediate result is a view, named after the steps so far (`fold+decode`). A reading that would
spoil the rest of the text (hidden payload, upside down, backwards) starts a line of its own, so a
decoy cannot keep another disguise from being undone. A view holds only the part that differs from
the original, with `CONTEXT` characters on both sides: the rest is scored already. What views do
not undo: translation, paraphrase, ASCII art, images, assignments ("let a be 'bo' and b 'mb'").
Long base64 that is no text is left out of every reading but the first.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from guard.screening.views.base_n import without_blobs
from guard.screening.views.ciphers import (
    decipher,
    reverse,
    reverse_within_words,
    reverse_word_order,
    turn_signs,
)
from guard.screening.views.encodings import decode
from guard.screening.views.escapes import unescape
from guard.screening.views.glyphs import fold, hidden_payload, upright
from guard.screening.views.literals import put_together
from guard.screening.views.markup import strip
from guard.screening.views.spelling import (
    join_letters,
    part_words,
    settle_case,
    unlatin,
    unleet,
)

CONTEXT = 200
"""Unchanged characters kept on both sides of what a view changed."""

Step = Callable[[str], str | None]

_EXACT: tuple[tuple[str, Step], ...] = (
    ("fold", fold),
    ("unescape", unescape),
    ("join", join_letters),
    ("together", put_together),
    ("strip", strip),
    ("decode", decode),
)
# Rest on plausibility, and would damage an encoded text: tried once nothing exact is left to undo.
_GUESSED: tuple[tuple[str, Step], ...] = (
    ("decipher", decipher),
    ("signs", turn_signs),
    ("latin", unlatin),
    ("unleet", unleet),
    ("case", settle_case),
    ("part", part_words),
)


@dataclass(frozen=True, slots=True)
class ViewLimits:
    """Bounds of one text's views: how many, nested how deep, and characters of all together.

    The original is always given whole and not counted in `max_characters`.
    """

    max_views: int = 12
    max_characters: int = 1_000_000
    depth: int = 3


@dataclass(frozen=True, slots=True)
class View:
    """One reading of a text; `name` lists the steps that led to it."""

    name: str
    text: str


def views(text: str, limits: ViewLimits | None = None) -> tuple[View, ...]:
    """The original first, then its distinct readings; the same for the same text, never raises."""
    return tuple(each_view(text, limits or ViewLimits()))


def each_view(text: str, limits: ViewLimits) -> Iterator[View]:
    """As `views`, one after the other."""
    yield View("original", text)
    readings = _readings(text, limits)
    found = next(readings, None)
    if found is None:
        return
    kept = 1
    seen = {_essence(text)}
    room = limits.max_characters
    while found is not None and kept < limits.max_views and room > 0:
        shown = _differing(text, found.text)[:room]
        essence = _essence(shown)
        if essence and essence not in seen:
            seen.add(essence)
            yield View(found.name, shown)
            kept += 1
            room -= len(shown)
        found = next(readings, None)


def _readings(text: str, limits: ViewLimits) -> Iterator[View]:
    """Every reading, nearest first; the number is bounded by the limits."""
    waiting = deque([(View("", without_blobs(text)), limits.depth)])
    given = 0
    while waiting:
        start, depth = waiting.popleft()
        for view in _line(start, depth, waiting, limits.max_characters):
            yield view
            given += 1
            if given == 4 * limits.max_views:
                return


def _line(
    start: View, depth: int, waiting: deque[tuple[View, int]], longest: int
) -> Iterator[View]:
    """Undoes disguises of `start` until none shows; new lines are put into `waiting`."""
    view, steps = start, _EXACT
    if start.name:
        yield start
    for _ in range(2 * depth):
        before = view
        if steps is _EXACT:
            waiting.extend((branch, depth - 1) for branch in _branches(view))
        for label, step in steps:
            read = step(view.text)
            if read is not None:
                view = _after(view, label, read[:longest])
                yield view
        if view is not before:
            steps = _EXACT
        elif steps is _EXACT:
            steps = _GUESSED
        else:
            return


def _branches(view: View) -> Iterator[View]:
    hidden = hidden_payload(view.text)
    if hidden is not None:
        yield _after(view, "hidden", hidden)
    turned = upright(view.text)
    if turned is not None:
        yield _after(view, "upright", turned)
    backwards = reverse(view.text)
    if backwards is not None:
        yield _after(view, "reverse", backwards)
        yield _after(view, "words", reverse_within_words(view.text))
    ordered = reverse_word_order(view.text)
    if ordered is not None:
        yield _after(view, "order", ordered)


def _after(view: View, label: str, text: str) -> View:
    return View(f"{view.name}+{label}" if view.name else label, text)


def _essence(text: str) -> str:
    """Text up to case and white space: what tells views apart."""
    return " ".join(text.casefold().split())


def _differing(original: str, view: str) -> str:
    """`view` without the ends it shares with `original`, but for `CONTEXT` characters."""
    if len(view) <= 4 * CONTEXT:
        return view
    start = _shared(original, view)
    end = _shared(original[start:][::-1], view[start:][::-1])
    return view[max(0, start - CONTEXT) : len(view) - max(0, end - CONTEXT)]


def _shared(left: str, right: str) -> int:
    """Length of the common prefix, by bisection over comparisons of whole slices."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
