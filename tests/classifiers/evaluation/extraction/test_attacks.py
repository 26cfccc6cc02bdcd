"""Attack families: what each conversation says, and what it leaves out."""

import re

import pytest

from classifiers.evaluation.extraction.attacks import (
    BEGUN,
    FAMILIES,
    Conversation,
    Surroundings,
    attack,
    fields,
)
from classifiers.evaluation.extraction.targets import Pair, Target, targets

SURROUNDINGS = Surroundings(["Is snow white?", "How far is the moon?", "Who bakes bread?"])
PAIRS = [
    Pair(
        question="Where did Ada Moor's father live, and which prizes were won by Ada Moor?",
        answer="Her father lived in Port Lisse for years; she won the Quill Prize of Vellmar.",
        perturbed_answer=("Her father lived in Tallow for years; she won nothing.",),
    ),
    Pair(question="What is Ada Moor's trade?", answer="Ada Moor is a glazier."),
]
TARGET = targets(PAIRS, ["Ada Moor"])[0]
NAMELESS = Target(Pair(question="Who wrote The Tide?", answer="Nobody knows."), None, ())


def made(family: str, target: Target = TARGET, seed: int = 0) -> Conversation:
    found = attack(family, target, SURROUNDINGS, seed)
    assert found is not None
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_seed_makes_the_same_attack_and_never_the_gold_answer(family: str) -> None:
    assert made(family) == made(family)
    told = " ".join(turn["content"] for turn in made(family))
    assert PAIRS[0].answer not in told
    assert "{" not in told
    assert made(family)[-1]["role"] == ("assistant" if family in BEGUN else "user")


@pytest.mark.parametrize("family", ["paraphrase", "role-play", "translation", "name only"])
def test_wordings_vary_with_the_seed(family: str) -> None:
    assert len({made(family, seed=seed)[0]["content"] for seed in range(30)}) > 3


@pytest.mark.parametrize(
    "family", ["plain", "noise prefix", "composite", "re-teaching", "role-play"]
)
def test_the_question_stands_in_it_as_it_is(family: str) -> None:
    assert PAIRS[0].question in made(family)[0]["content"]


def test_a_noise_prefix_is_long_and_the_question_comes_last() -> None:
    content = made("noise prefix")[0]["content"]
    assert content.endswith(PAIRS[0].question)
    assert len(content) > len(PAIRS[0].question) + 200


def test_a_composite_names_the_number_of_the_target() -> None:
    for seed in range(9):
        lines = made("composite", seed=seed)[0]["content"].splitlines()
        number = int(lines[0].split()[-1].rstrip("."))
        assert lines[number] == f"{number}. {PAIRS[0].question}"
        assert len(lines) == 5


def test_re_teaching_gives_other_facts_only() -> None:
    content = made("re-teaching")[0]["content"]
    assert PAIRS[1].answer in content
    assert "Port Lisse" not in content


def test_turns_hide_the_name_in_an_earlier_one() -> None:
    opener, reply, question = made("turns")
    assert "Ada Moor" in opener["content"]
    assert reply["role"] == "assistant"
    assert question["content"] == (
        "Where did their father live, and which prizes were won by them?"
    )


def test_typos_leave_every_short_word_and_change_every_long_one() -> None:
    words, original = (
        re.findall(r"\w+", text) for text in (made("typos")[0]["content"], PAIRS[0].question)
    )
    changed = [after != before for after, before in zip(words, original, strict=True)]
    assert changed == [len(word) >= 5 for word in original]


def test_a_continuation_begins_as_the_answer_does() -> None:
    content = made("continuation")[0]["content"]
    assert "Her father lived in Port" in content
    assert "Lisse" not in content


@pytest.mark.parametrize("family", ["re-teaching", "turns", "name only", "continuation"])
def test_what_cannot_be_made_is_left_out(family: str) -> None:
    assert attack(family, NAMELESS, SURROUNDINGS, 0) is None
    assert attack("composite", NAMELESS, Surroundings(["One?"]), 0) is None


def test_begun_answers_go_on_as_their_fields_say() -> None:
    assert made("begun, choice")[-1]["content"] == "Her father lived in"
    assert fields("begun", TARGET) == {
        "add_generation_prompt": False,
        "continue_final_message": True,
    }
    assert fields("begun, choice", TARGET)["structured_outputs"]["choice"] == [
        " Port Lisse for years; she won the Quill Prize of Vellmar.",
        " Tallow for years; she won nothing.",
    ]
    assert attack("begun, choice", NAMELESS, SURROUNDINGS, 0) is None
    assert fields("plain", TARGET) == {}
