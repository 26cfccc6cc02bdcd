"""Windows cover the text, and everything shorter than the overlap lies whole in one of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.screening.cutting.windows import cut

WORDS = " ".join(f"word{i}" for i in range(400))


def test_a_short_text_is_its_own_window() -> None:
    assert cut("hello there", 800, 200) == ("hello there",)
    assert cut("", 800, 200) == ("",)
    assert cut("x" * 800, 800, 200) == ("x" * 800,)


def test_windows_start_and_end_at_white_space() -> None:
    windows = cut(WORDS, 100, 30)
    assert len(windows) > 20
    assert all(window.startswith("word") for window in windows)
    assert all(window.endswith(" ") for window in windows[:-1])
    assert {word for window in windows for word in window.split()} == set(WORDS.split())


@pytest.mark.parametrize("text", ["漢字" * 1000, "QUJD" * 500, "\u0301" * 2000])
def test_text_without_spaces_is_cut_anywhere(text: str) -> None:
    windows = cut(text, 100, 25)
    assert all(len(window) == 100 for window in windows[:-1])
    assert windows[0] + "".join(window[25:] for window in windows[1:]) == text


@pytest.mark.parametrize(("size", "overlap"), [(100, 51), (100, -1), (7, 0)])
def test_refuses_sizes_that_make_no_progress(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        cut("text", size, overlap)


sizes = st.integers(8, 60).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n // 2)))


@given(st.text(alphabet="ab \n漢", max_size=400), sizes, st.data())
def test_whatever_is_no_longer_than_the_overlap_lies_in_one_window(
    text: str, sizes: tuple[int, int], data: st.DataObject
) -> None:
    size, overlap = sizes
    windows = cut(text, size, overlap)
    start = data.draw(st.integers(0, len(text)))
    assert any(text[start : start + overlap] in window for window in windows)
    assert all(len(window) <= size for window in windows)
    assert len(windows) <= 1 + 2 * len(text) / (size - overlap)


@given(st.lists(st.booleans(), max_size=300), sizes)
def test_nothing_is_left_out(spaces: list[bool], sizes: tuple[int, int]) -> None:
    text = "".join(chr(0x4E00 + i) + " " * space for i, space in enumerate(spaces))
    assert set("".join(cut(text, *sizes))) == set(text)  # all letters are distinct
    assert "".join(cut(text, sizes[0], 0)) == text
