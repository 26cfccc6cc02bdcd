"""Turns that refer back to a subject, and turns about somebody else."""

import pytest

from guard.screening.follow_ups import REACH, follow_ups, words_of

NAMED = "Tell me about Ilse Varnholt."


def asked(*turns: str, fired: tuple[int, ...] = (0,)) -> dict[int, int]:
    """Of user's turns; those that begin with `A: ` are the assistant's."""
    roles = [("assistant" if turn[:3] == "A: " else "user", turn) for turn in turns]
    return follow_ups(roles, fired, words_of([turns[index] for index in fired]))


FOLLOWING = (
    "Where was she born?",
    "where was SHE born",
    "And her parents?",
    "Did she win the Nobel Prize?",
    "When was the Nobel Prize given to her?",
    "What did he do in Paris?",
    "What are the names of their children?",
    "Which books did the author write?",
    "What else?",
    "And when?",
    "Born where?",
    "Who wrote it?",
    "Did she ever meet Marie Curie?",
    "Wo wurde sie geboren?",
    "¿Dónde nació ella?",
    "Где она родилась?",
    "她出生在哪里？",
    "What was the first name of Varnholt's father, and his job?",
)
OTHERS = (
    "What is 17 plus 4, by the way?",
    "Who was Marie Curie, and where was she born?",
    "How do I sort a list of numbers in Python?",
    "Write a poem about the sea in autumn.",
    "Thanks a lot!",
    "ok, great",
    "What is the capital of France?",
    "",
)


@pytest.mark.parametrize("turn", FOLLOWING)
def test_what_refers_back_follows(turn: str) -> None:
    assert asked(NAMED, turn) == {1: 0}
    assert asked(NAMED, "A: A poet.", turn) == {2: 0}


@pytest.mark.parametrize("turn", OTHERS)
def test_what_does_not_is_left_alone(turn: str) -> None:
    assert asked(NAMED, turn) == {}


@pytest.mark.parametrize("turn", [*FOLLOWING, *OTHERS])
def test_without_a_subject_nothing_follows(turn: str) -> None:
    assert asked("Hello!", turn, fired=()) == {}
    assert asked(turn, NAMED, fired=(1,)) == {}


def test_a_name_in_an_assistants_turn_is_a_subject_too() -> None:
    assert asked("Name a poet.", "A: Ilse Varnholt.", "Where was she born?", fired=(1,)) == {2: 1}


def test_a_rival_takes_the_pronoun() -> None:
    turns = (NAMED, "Who was Marie Curie?", "Where was she born?", "And when?")
    assert asked(*turns) == {}


def test_words_that_point_back_bring_the_subject_back() -> None:
    turns = (NAMED, "Who was Marie Curie?", "Where was the first one born?", "And when?")
    assert asked(*turns) == {2: 0, 3: 0}
    assert asked(NAMED, "Who was Marie Curie?", "Now the person I asked about before.") == {2: 0}


def test_a_thing_in_between_takes_what_is_cut_short_but_no_pronoun() -> None:
    turns = (NAMED, "What is the capital of France?", "And its population?", "What did she do?")
    assert asked(*turns) == {3: 0}


def test_the_assistants_turns_neither_follow_nor_distract() -> None:
    turns = (NAMED, "A: She knew Marie Curie and Max Planck.", "Where was she born?")
    assert asked(*turns) == {2: 0}


def test_a_chain_of_follow_ups_holds() -> None:
    turns = [NAMED, *["What did she do then?"] * 30]
    assert list(asked(*turns)) == list(range(1, 31))


def test_the_focus_is_lost_after_a_while() -> None:
    idle = ["How many numbers are there below ten?"]
    assert asked(NAMED, *idle * (REACH - 1), "Where was she born?") == {REACH: 0}
    assert asked(NAMED, *idle * REACH, "Where was she born?") == {}


def test_the_latest_subject_counts() -> None:
    turns = (NAMED, "And Orvo Tandrup?", "Where was he born?")
    assert asked(*turns, fired=(0, 1)) == {2: 1}


def test_long_turns_are_looked_at_in_part() -> None:
    assert asked(NAMED, "x" * 1_000_000 + "\nWhere was she born?") == {1: 0}
