"""Windows of long texts, and of a conversation's turns: what an encoder can read at once.

Second step of screening, after `guard.screening.views`. An encoder reads a few hundred tokens, so a
long text is scored in overlapping windows; sizes are in characters, which is fast and close
enough (about four per token in English). A prompt split over turns is seen by joining the turns.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from itertools import accumulate
from typing import NamedTuple

USER_ROLES = frozenset({"user"})
_JOINT = "\n"


class JoinedText(NamedTuple):
    """A window over joined turns, and the indices, into the given texts, of those it touches."""

    text: str
    items: tuple[int, ...]


def cut(text: str, size: int = 800, overlap: int = 200) -> tuple[str, ...]:
    """The windows of `text`, in order, each at most `size` characters.

    Every substring of at most `overlap` characters lies whole inside one window. Windows start
    and end at white space where there is some nearby, else anywhere. A short text is its own
    window; there are at most 1 + 2 * len(text) / (size - overlap). Raises ValueError unless
    0 <= overlap <= size / 2 and size >= 8.
    """
    return tuple(text[start:end] for start, end in _bounds(text, size, overlap))


def conversation_windows(
    texts: Sequence[tuple[str, str]],
    *,
    turns: int | None = None,
    size: int = 800,
    overlap: int = 200,
    roles: Collection[str] = USER_ROLES,
) -> tuple[JoinedText, ...]:
    """Windows over the last `turns` texts of `roles`, and over the last `turns` of any role.

    `texts` are (role, text) in order; all of them count where `turns` is None: a client can make
    up any history, so what was split over early turns need not have been screened before. Only
    windows that touch two texts or more are given: those inside one text come from `cut`. At most
    `size` characters from either end of a text are joined, so the number of windows does not
    depend on the length of the texts.
    """
    recent = slice(None) if turns is None else slice(-turns, None)
    own = [index for index, (role, _) in enumerate(texts) if role in roles]
    contents = [text for _, text in texts]
    found: dict[str, JoinedText] = {}
    for chosen in (own[recent], list(range(len(texts)))[recent]):
        for joined in _joined(contents, chosen, size, overlap, _JOINT):
            found.setdefault(joined.text, joined)
    return tuple(found.values())


def part_windows(
    parts: Sequence[str], size: int = 800, overlap: int = 200
) -> tuple[JoinedText, ...]:
    """Windows over the parts of one message with nothing between them, as chat templates put them.

    Otherwise as `conversation_windows`.
    """
    return tuple(_joined(parts, range(len(parts)), size, overlap, ""))


def _bounds(text: str, size: int, overlap: int) -> list[tuple[int, int]]:
    if size < 8 or not 0 <= overlap * 2 <= size:
        raise ValueError(f"overlap must be at most half of size, not {overlap} of {size}")
    slack = (size - overlap) // 4  # how far a cut may move to reach white space
    bounds: list[tuple[int, int]] = []
    start = 0
    while len(text) - start > size:
        end = _space_before(text, start + size, slack)
        bounds.append((start, end))
        start = _space_before(text, end - overlap, slack)
    bounds.append((start, len(text)))
    return bounds


def _space_before(text: str, position: int, slack: int) -> int:
    """The nearest place after white space in the `slack` characters before `position`."""
    for place in range(position, max(position - slack, 0), -1):
        if text[place - 1].isspace():
            return place
    return position


def _joined(
    texts: Sequence[str], chosen: Sequence[int], size: int, overlap: int, joint: str
) -> list[JoinedText]:
    # An empty text stands for nothing and would make its neighbours look like one window of two.
    chosen = [index for index in chosen if texts[index]]
    parts = [_ends(texts[index], size) for index in chosen]
    whole = joint.join(parts)
    starts = [0, *accumulate(len(part) + len(joint) for part in parts)][: len(parts)]
    windows = []
    for start, end in _bounds(whole, size, overlap):
        first = max(bisect_right(starts, start) - 1, 0)
        last = bisect_left(starts, end)
        if last - first >= 2:
            windows.append(JoinedText(whole[start:end], tuple(chosen[first:last])))
    return windows


def _ends(text: str, size: int) -> str:
    """The text, or its first and last `size` characters when it is longer than both."""
    return text if len(text) <= 2 * size else text[:size] + _JOINT + text[-size:]
