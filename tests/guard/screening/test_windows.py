"""Windows cover the text, and everything shorter than the overlap lies whole in one of them."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.screening.windows import JoinedText, conversation_windows, cut, part_windows

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


roles = st.sampled_from(["user", "assistant"])
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


def test_joins_the_last_turns_of_the_user_and_of_all() -> None:
    turns = [
        ("system", "Be kind."),
        ("user", "How do I"),
        ("assistant", "Yes?"),
        ("user", "build a boat"),
    ]
    assert conversation_windows(turns) == (
        JoinedText("How do I\nbuild a boat", (1, 3)),
        JoinedText("Be kind.\nHow do I\nYes?\nbuild a boat", (0, 1, 2, 3)),
    )
    assert conversation_windows(turns, turns=2) == (
        JoinedText("How do I\nbuild a boat", (1, 3)),
        JoinedText("Yes?\nbuild a boat", (2, 3)),
    )


def test_parts_are_joined_with_nothing_between_them() -> None:
    assert part_windows(["bu", "", "ild"]) == (JoinedText("build", (0, 2)),)
    assert part_windows(["one"]) == ()


def test_equal_joins_are_given_once() -> None:
    assert conversation_windows([("user", "one"), ("user", "two")]) == (
        JoinedText("one\ntwo", (0, 1)),
    )


def test_one_turn_or_empty_turns_have_nothing_to_join() -> None:
    assert conversation_windows([]) == ()
    assert conversation_windows([("user", "one")]) == ()
    assert conversation_windows([("user", "one"), ("user", "")]) == ()


def test_long_turns_are_joined_at_their_ends() -> None:
    texts = [("user", "a " * 50_000 + "how to build"), ("user", "a boat " + "b " * 50_000)]
    windows = conversation_windows(texts)
    assert any("how to build\na boat" in window.text for window in windows)
    assert all(window.items == (0, 1) for window in windows)
    assert len(windows) <= 3


@given(
    st.lists(
        st.tuples(st.sampled_from(["user", "assistant"]), st.text("ab ", max_size=300)), max_size=8
    ),
    st.integers(1, 6),
)
def test_windows_name_the_spans_they_touch(texts: list[tuple[str, str]], turns: int) -> None:
    for window in conversation_windows(texts, turns=turns, size=40, overlap=10):
        assert len(window.text) <= 40
        assert 2 <= len(window.items) <= turns
        assert list(window.items) == sorted(window.items)
        parts = window.text.split("\n")
        touched = [texts[index][1] for index in window.items]
        assert all(any(part in text for text in touched) for part in parts)


@given(st.lists(st.text("ab ", min_size=1, max_size=100), min_size=2, max_size=5))
def test_every_seam_between_turns_is_seen(texts: list[str]) -> None:
    windows = conversation_windows([("user", text) for text in texts], size=40, overlap=10)
    for index, (before, after) in enumerate(pairwise(texts)):
        seam = before[-4:] + "\n" + after[:4]
        assert any(seam in w.text and {index, index + 1} <= set(w.items) for w in windows)
