"""Documents of our own, and where a sentence is placed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.malicious.data.documents import POSITIONS, Position, documents, place
from classifiers.malicious.data.templates import HALVES, Half


@pytest.mark.parametrize("half", HALVES)
def test_documents_are_several_sentences_without_open_slots(half: Half) -> None:
    texts = documents(half, 40, 0)
    assert len(texts) == 40
    assert len(set(texts)) > 35
    assert not [text for text in texts if "{" in text or text.count("\n") < 2]


def test_halves_differ() -> None:
    assert not set(documents("train", 50, 0)) & set(documents("held_out", 50, 0))


@pytest.mark.parametrize(
    ("position", "placed"),
    [
        ("start", "X!\nOne. Two. Three."),
        ("middle", "One. Two. X! Three."),
        ("end", "One. Two. Three.\nX!"),
    ],
)
def test_a_sentence_is_placed(position: Position, placed: str) -> None:
    assert place("One. Two. Three.", "X!", position) == placed


def test_a_text_without_a_break_gets_it_at_the_end() -> None:
    assert place("no break", "X!", "middle").split() == ["no", "break", "X!"]


@given(st.text(), st.sampled_from(POSITIONS))
def test_nothing_is_lost(text: str, position: Position) -> None:
    placed = place(text, "MARK", position)
    assert "".join(placed.replace("MARK", "").split()) == "".join(text.replace("MARK", "").split())
