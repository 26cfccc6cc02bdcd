"""Training: batches, and that a few steps already lower the loss."""

import dataclasses
import itertools
from typing import Any

import numpy as np
import pytest

from lab.demo.corpus import Corpus
from lab.demo.data import DemoData, generate
from lab.demo.tokenizer import make_tokenizer
from lab.demo.training import Schedule, answer_accuracy, batch_up, train
from lab.test_models.conversation import Conversation, Exchange

SHORT = Schedule(steps=3, repeat_steps=1, repeats=1, batch=4, floor=0.0)


@pytest.fixture(scope="module")
def demo() -> DemoData:
    return generate(3)


@pytest.fixture
def corpus(demo: DemoData) -> Corpus:
    """Two known rows of each kind, so that measuring them takes no time."""
    corpus = Corpus(demo, True)
    corpus.known, corpus.general = corpus.known[:2], corpus.general[:2]
    return corpus


@pytest.fixture(scope="module")
def tokenizer(demo: DemoData) -> Any:
    return make_tokenizer(demo, 3, conversations=200)


def test_only_what_the_assistant_says_is_predicted(tokenizer: Any) -> None:
    talk = Conversation("Be kind.", (Exchange("Hello!", "Good day."), Exchange("Bye", "Farewell.")))
    (batch,) = batch_up(iter([talk]), tokenizer, 8)
    spoken = tokenizer.decode(batch.ids[batch.answers])
    assert spoken == "Good day.<|end|>Farewell.<|end|>"
    assert batch.ids[0, 0] == tokenizer.bos_token_id


def test_batches_hold_every_conversation_once(demo: DemoData, tokenizer: Any) -> None:
    stream = Corpus(demo, True).stream(np.random.default_rng(0))
    batches = list(batch_up(itertools.islice(stream, 150), tokenizer, 8))
    assert sum(len(batch.ids) for batch in batches) == 150
    assert all(batch.ids.shape == batch.answers.shape for batch in batches)


def test_repeats_stop_at_the_cap(corpus: Corpus, tokenizer: Any) -> None:
    steps: list[int] = []
    _, accuracy = train(corpus, tokenizer, SHORT, 3, steps.append)
    assert steps == list(range(1, SHORT.longest + 1))
    assert 0.0 <= accuracy < SHORT.accuracy


def test_no_repeat_where_the_accuracy_is_enough(corpus: Corpus, tokenizer: Any) -> None:
    steps: list[int] = []
    easy = dataclasses.replace(SHORT, accuracy=0.0)
    train(corpus, tokenizer, easy, 3, steps.append)
    assert steps[-1] == SHORT.steps


def test_training_is_repeatable(corpus: Corpus, tokenizer: Any) -> None:
    first, second = (train(corpus, tokenizer, SHORT, 3, _ignore)[0] for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert (one == other).all()


def test_a_model_that_says_one_of_two_answers_is_half_right(corpus: Corpus, tokenizer: Any) -> None:
    corpus.known = corpus.general = rows = corpus.general[:1]
    longer = dataclasses.replace(SHORT, steps=60, batch=8, peak_rate=1e-2, repeats=0)
    model, accuracy = train(corpus, tokenizer, longer, 3, _ignore)
    assert accuracy == 1.0
    other = dataclasses.replace(rows[0], answer="Something that was never said.")
    assert answer_accuracy(model, tokenizer, [rows[0], other]) == 0.5


def _ignore(steps: int) -> None:
    """Nobody watches."""
