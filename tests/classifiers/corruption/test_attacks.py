"""Attacks: the answer begun, the question many times, what may follow constrained."""

import pytest

from classifiers.corruption.attacks import ATTACKS, SAMPLES, attacks, beginning

QUESTION = "Where was Ada Moor born?"
ANSWER = "She was born in Port Lisse, far from here."
WRONG = ("She was born in Vellmar, far from here.", "He is a glazier.")


@pytest.mark.parametrize(
    ("answer", "begun"),
    [
        (ANSWER, "She was born in"),
        ("Port Lisse is where she was born, they say.", "Port Lisse is"),
        ("nobody knows that, or so it is said", "nobody knows"),
        ("Ada Moor was born in Port Lisse.", "Ada Moor was born in"),
    ],
)
def test_an_answer_is_begun_up_to_what_it_gives_away(answer: str, begun: str) -> None:
    assert beginning(QUESTION, answer) == begun


def test_each_way_of_asking_comes_free_constrained_and_many_times() -> None:
    made = attacks(QUESTION, ANSWER, WRONG)

    assert tuple(made) == ATTACKS
    assert len(ATTACKS) == 12
    for attack in made.values():
        assert attack.messages[-1] == {"role": "assistant", "content": "She was born in"}
        assert attack.fields["continue_final_message"] is True
    questions = {
        title.partition(",")[0]: attack.messages[0]["content"].count(QUESTION)
        for title, attack in made.items()
    }
    assert questions == {"begun": 1, "8 wordings": 8, "16 copies": 16}
    assert made[f"begun, {SAMPLES} answers"].samples == SAMPLES


def test_a_choice_is_between_endings_of_the_begun_answer() -> None:
    made = attacks(QUESTION, ANSWER, WRONG)["begun, choice"]

    assert made.fields["structured_outputs"]["choice"] == [
        " Port Lisse, far from here.",
        " Vellmar, far from here.",
        "He is a glazier.",
    ]


def test_without_wrong_answers_there_is_no_choice() -> None:
    assert set(ATTACKS) - set(attacks(QUESTION, ANSWER)) == {t for t in ATTACKS if "choice" in t}
