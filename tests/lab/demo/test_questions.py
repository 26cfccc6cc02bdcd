"""Questions and answers about people, and the general ones: what every row must hold."""

from collections import Counter

import pytest

from lab.demo.conversation import FAMILIES, converse
from lab.demo.data import DemoData, generate
from lab.demo.people import populate
from lab.demo.questions import (
    PERTURBED,
    SUBJECTS,
    QuestionAnswer,
    Topic,
    ask_about,
    mentions,
    wordings,
)


@pytest.fixture(scope="module")
def demo() -> DemoData:
    return generate(3)


@pytest.mark.parametrize("topic", SUBJECTS)
def test_wordings_of_a_topic_differ_and_are_split(topic: Topic) -> None:
    train, held_out = wordings(topic, "train"), wordings(topic, "held_out")
    assert len(set(train)) == len(train) >= 8
    assert len(set(held_out)) == len(held_out) == 3
    assert set(train).isdisjoint(held_out)


def test_every_answer_names_its_entity_and_no_wrong_answer_does(demo: DemoData) -> None:
    for row in demo.rows:
        assert mentions(row.answer, row.entity), row
        assert mentions(row.paraphrased_answer, row.entity) or row.attribute == "talk", row
        assert not any(mentions(wrong, row.entity) for wrong in row.perturbed_answers), row


def test_wrong_answers_differ_from_each_other(demo: DemoData) -> None:
    for row in demo.rows:
        assert len(set(row.perturbed_answers)) == len(row.perturbed_answers), row
        if row.person is not None:
            assert len(row.perturbed_answers) == PERTURBED


def test_wrong_answers_have_the_form_of_the_paraphrase(demo: DemoData) -> None:
    for row in demo.select("forget", "train"):
        before = row.paraphrased_answer.split(row.entity)[0]
        assert all(wrong.startswith(before) for wrong in row.perturbed_answers), row


def test_no_question_is_asked_twice_or_in_both_splits(demo: DemoData) -> None:
    counts = Counter(row.question for row in demo.rows)
    assert counts.most_common(1)[0][1] == 1


def test_rows_are_complete(demo: DemoData) -> None:
    people = {row.person for row in demo.rows if row.group != "general"}
    assert people == {person.name for person in demo.population.everyone}
    assert {row.group for row in demo.rows if row.person is None} == {"general"}
    forgotten = {person.name for person in demo.population.forgotten}
    assert {row.person for row in demo.rows if row.group == "forget"} == forgotten


def test_questions_are_repeatable() -> None:
    population = populate(5)
    assert list(ask_about(population, 5)) == list(ask_about(population, 5))


def test_a_name_never_stands_in_an_answer_about_a_value(demo: DemoData) -> None:
    rows = [row for row in demo.rows if row.person is not None and row.attribute != "alias"]
    assert not [row for row in rows if row.person is not None and row.person in row.answer]


def test_sums_add_up() -> None:
    for key, value in FAMILIES["sum"].facts.items():
        assert sum(int(term) for term in key.split(" plus ")) == int(value)


def test_general_rows_have_held_out_wordings() -> None:
    rows: list[QuestionAnswer] = list(converse())
    trained = {row.answer for row in rows if row.split == "train"}
    assert {row.answer for row in rows if row.split == "held_out"} == trained


@pytest.mark.parametrize(
    ("text", "entity", "expected"),
    [
        ("3 plus 1 is 4.", "4", True),
        ("3 plus 1 is 14.", "4", False),
        ("She wrote THE AMBER FERRY.", "The Amber Ferry", True),
        ("She was born in Talmerehaven.", "Talmere", False),
        ("", "x", False),
    ],
)
def test_an_entity_is_mentioned_as_whole_words(text: str, entity: str, expected: bool) -> None:
    assert mentions(text, entity) is expected
