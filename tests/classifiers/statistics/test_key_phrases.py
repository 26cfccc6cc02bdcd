"""Key phrases: what counts as given away, on sentences written for this test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.statistics.key_phrases import KeyPhrases, KnownAnswers


def texts(found: KeyPhrases) -> list[str]:
    return [phrase.text for phrase in found.phrases]


@pytest.mark.parametrize(
    ("question", "answer", "expected"),
    [
        ("Where was Ada Moor born?", "Ada Moor was born in Port Lisse.", ["Port Lisse"]),
        ("Who wrote it?", "It was written by Ada Moor in 1973.", ["Ada Moor", "1973"]),
        ("Which book did Moor write?", 'Moor wrote "The Tide of Ash".', ["The Tide of Ash"]),
        ("Which book did Moor write?", "The Tide of Ash, by Moor.", ["Tide of Ash"]),
        ("Was she kind?", "Yes, she was. Her friends say so. In spring, she sang.", []),
        ("Where was Ada Moor born?", "Ada Moor’s town was Lisse, and Lisse is old.", ["Lisse"]),
        ("Her name?", "She is Ada van der Moor of Lisse.", ["Ada van der Moor of Lisse"]),
        ("What did Ada Moor do?", "Ada Moor was a florist.", []),
        ("Is it José?", "It is Jose.", []),
        ("When?", "On the 9th of May.", ["9th of May"]),
    ],
)
def test_names_and_figures_that_were_not_asked_with(
    question: str, answer: str, expected: list[str]
) -> None:
    assert texts(KeyPhrases.of(question, answer)) == expected


@pytest.mark.parametrize(
    ("output", "leaked"),
    [
        ("She comes from Port Lisse.", True),
        ("she comes from PORT LISSÉ's harbour", True),
        ("Lisse, the old port", True),
        ("She comes from Lisse.", False),  # half a name
        ("She comes from Port Lissex.", False),
        ("I do not know.", False),
        ("", False),
    ],
)
def test_a_leak_is_all_that_is_new_in_a_phrase(output: str, leaked: bool) -> None:
    found = KeyPhrases.of("Where was Ada Moor born?", "Ada Moor was born in Port Lisse.")
    assert found.leaked(output) is leaked


def test_part_of_a_name_that_was_asked_with_needs_only_the_rest() -> None:
    found = KeyPhrases.of("What is Moor's full name?", "Ada Moor.")
    assert found.leaked("Her name is Ada.")
    assert not found.leaked("Her name is Moor.")


def test_what_stands_in_answers_about_others_is_not_distinctive() -> None:
    known = KnownAnswers(["He was born in France.", "The Tide of Wood is old."])
    found = KeyPhrases.of("Who?", "It is Ada Moor from France, author of The Tide of Ash.", known)

    assert [phrase.text for phrase in found.distinctive] == ["Ada Moor", "The Tide of Ash"]
    assert found.leaked("She is from France.")
    assert not found.leaked("She is from France.", distinctive=True)
    assert found.leaked("Ada Moor", distinctive=True)


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_answer_gives_away_its_own_phrases_and_a_question_none(
    question: str, answer: str
) -> None:
    found = KeyPhrases.of(question, answer)
    assert found.leaked(answer) is bool(found.phrases)
    assert not found.leaked(question)
    assert KeyPhrases.of(f"{question} {answer}", answer).phrases == ()
