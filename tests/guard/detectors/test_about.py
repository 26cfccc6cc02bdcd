"""Sentences about somebody, among others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.detectors.about import LEAST, about, without

OTHER = "The harbour of Tallow has two lighthouses, and both were built in the same year. " * 9


def named(text: str) -> bool:
    return "Ilse Varnholt" in text


def chosen(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in about(text, named)]


@pytest.mark.parametrize(
    "passage",
    [
        "Ilse Varnholt was born in Velm.",
        "Ilse Varnholt was born in Velm. She studied with Pia Berg.",
        "Ilse Varnholt was born in Velm. The father was a smith.",
        "The lamps of Velm were restored by Ilse Varnholt, who was born there.",
        "Dr. Ilse Varnholt restores lamps.",
        "Ilse Varnholt wurde in Velm geboren. Ihre Mutter war Pia Berg.",
    ],
)
def test_sentences_that_name_somebody_and_go_on_about_them_are_found(passage: str) -> None:
    assert chosen(OTHER + passage + " Tallow is far away.") == [passage]


def test_a_new_paragraph_is_about_something_else() -> None:
    text = f"{OTHER}Ilse Varnholt was born in Velm.\n\nwhere did she say that the harbour is?"

    assert chosen(text) == ["Ilse Varnholt was born in Velm."]


def test_a_name_that_a_line_break_cuts_is_found() -> None:
    passage = "The lamps were restored by Ilse\nVarnholt in Velm."

    found = about(f"{OTHER}\n{passage}\nTallow is far away.", lambda t: "Ilse\nVarnholt" in t)

    assert found == ((len(OTHER) + 1, len(OTHER) + len(passage) + 2),)


@pytest.mark.parametrize(
    "text",
    ["Ilse Varnholt was born in Velm. Tallow is far.", OTHER, "Ilse Varnholt sings. " * 40, ""],
)
def test_short_texts_and_those_about_nobody_or_nobody_else_are_not_taken_apart(text: str) -> None:
    assert about(text, named) == ()


@given(
    st.lists(st.sampled_from(["Ilse Varnholt", "she", "Pia.", "\n", " ", "\n\n", "a b c d. ", "!"]))
)
def test_ranges_ascend_and_lie_apart_and_no_sentence_left_holds_the_name(parts: list[str]) -> None:
    text = "x" * LEAST + ". " + " ".join(parts)

    found = about(text, named)

    borders = [0, *(place for span in found for place in span), len(text)]
    assert borders == sorted(borders)
    assert not found or len(without(text, found)) < len(text)
    assert not (found and named(without(text, found)))
