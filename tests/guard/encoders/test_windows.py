"""Token windows: whole coverage, bounded size, cuts between words."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.encoders.windows import cut_windows


def tokens_of(words: list[int]) -> tuple[list[tuple[int, int]], list[bool], int]:
    """Words of so many one-letter tokens, a space between words."""
    offsets, starts, at = [], [], 0
    for length in words:
        for letter in range(length):
            offsets.append((at, at + 1))
            starts.append(letter == 0)
            at += 1
        at += 1
    return offsets, starts, at + 3  # some white space at the end


@given(
    words=st.lists(st.integers(1, 12), max_size=60),
    size=st.integers(1, 20),
    share=st.floats(0.01, 1),
)
def test_windows_cover_the_text_and_stay_small(words: list[int], size: int, share: float) -> None:
    offsets, starts, length = tokens_of(words)
    windows = cut_windows(length, offsets, starts, size, max(1, int(size * share)))
    assert windows[0][0] == 0
    assert windows[-1][1] == length
    for (left, end), (right, _) in pairwise(windows):
        assert left < right <= end
    for start, end in windows:
        assert sum(start <= token < end for token, _ in offsets) <= size


@given(words=st.lists(st.integers(1, 5), min_size=1, max_size=60), size=st.integers(5, 20))
def test_cuts_stand_between_words(words: list[int], size: int) -> None:
    offsets, starts, length = tokens_of(words)
    beginnings = {0} | {start for (start, _), first in zip(offsets, starts, strict=True) if first}
    windows = cut_windows(length, offsets, starts, size, size)
    assert {start for start, _ in windows} <= beginnings


def test_a_short_text_is_one_window() -> None:
    assert cut_windows(0, [], [True], 8, 4) == [(0, 0)]
    assert cut_windows(9, [(2, 3)], [True], 8, 4) == [(0, 9)]


@pytest.mark.parametrize("stride", [0, 9])
def test_stride_must_fit(stride: int) -> None:
    with pytest.raises(ValueError, match="stride must lie between 1 and size"):
        cut_windows(9, [(0, 1)], [True], 8, stride)
