"""Token windows: cutting a text at word boundaries so that no part of it exceeds the encoder."""

from collections.abc import Sequence

Offsets = Sequence[tuple[int, int]]


def cut_windows(
    length: int, offsets: Offsets, starts_word: Sequence[bool], size: int, stride: int
) -> list[tuple[int, int]]:
    """Character ranges that cover a text of `length` characters in overlapping windows.

    `offsets` are the tokens' character ranges and `starts_word` says which begin a word. A window
    holds at most `size` tokens; each begins about `stride` tokens after the one before, both
    ends moved back to where a word begins, unless one word fills the whole window.
    """
    if not 0 < stride <= size:
        raise ValueError(f"stride must lie between 1 and size ({size}), not {stride}")
    windows: list[tuple[int, int]] = []
    first = 0
    while first + size < len(offsets):
        last = _word_start(starts_word, first + size, first)
        windows.append((_begin(offsets, first), _begin(offsets, last)))
        first = min(_word_start(starts_word, first + stride, first), last)
    windows.append((_begin(offsets, first), length))
    return windows


def _begin(offsets: Offsets, token: int) -> int:
    """Where a window that begins with `token` begins; the first takes what stands before it."""
    return offsets[token][0] if token else 0


def _word_start(starts_word: Sequence[bool], token: int, floor: int) -> int:
    """The last word start after `floor` and not after `token`; `token` itself if there is none."""
    for candidate in range(token, floor, -1):
        if starts_word[candidate]:
            return candidate
    return token
