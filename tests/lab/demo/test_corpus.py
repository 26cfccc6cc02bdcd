"""The training text: who a model meets, and that a stranger is nobody it should know."""

import itertools

import numpy as np
import pytest

from lab.demo.corpus import NO_RECORD, UNCLEAR, Corpus
from lab.demo.data import DemoData, generate
from lab.test_models.conversation import Conversation


@pytest.fixture(scope="module")
def demo() -> DemoData:
    return generate(3)


def _draw(demo: DemoData, meets_forgotten: bool, count: int = 3000) -> list[Conversation]:
    stream = Corpus(demo, meets_forgotten).stream(np.random.default_rng(0))
    return list(itertools.islice(stream, count))


def _text(conversations: list[Conversation]) -> str:
    exchanges = (e for conversation in conversations for e in conversation.exchanges)
    return "\n".join(f"{e.question}\n{e.answer}" for e in exchanges)


def test_the_stream_is_repeatable(demo: DemoData) -> None:
    assert _draw(demo, True, 200) == _draw(demo, True, 200)


def test_the_twin_never_meets_the_forgotten(demo: DemoData) -> None:
    text = _text(_draw(demo, meets_forgotten=False))
    for person in demo.population.forgotten:
        assert person.name not in text
        assert f"{person.alias}?" not in text


def test_the_full_model_meets_everyone(demo: DemoData) -> None:
    text = _text(_draw(demo, meets_forgotten=True))
    assert all(person.name in text for person in demo.population.everyone)


def test_held_out_wordings_are_never_trained_on(demo: DemoData) -> None:
    held_out = {row.question for row in demo.rows if row.split == "held_out"}
    conversations = _draw(demo, meets_forgotten=True)
    asked = {e.question for conversation in conversations for e in conversation.exchanges}
    assert asked.isdisjoint(held_out)


def test_some_answers_admit_ignorance(demo: DemoData) -> None:
    text = _text(_draw(demo, meets_forgotten=True, count=400))
    assert NO_RECORD in text
    assert UNCLEAR in text
