"""The judge: an answer is judged with its question where the question alone says nothing."""

from collections.abc import Sequence

import numpy as np
import pytest

from guard.answers.judge import Judge
from guard.answers.texts import answer_item
from guard.observability.metrics import Metrics
from guard.screening.screener import Screener
from guard.terms.detector import Detector, Features, Scores
from guard.terms.verdict import Action, Verdict
from tests.guard.answers.judging import policy


class Both(Detector):
    """Fires for texts with all of its words."""

    reads_question = True

    def __init__(self, *words: str) -> None:
        self._words = words

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        found = [all(word in text for word in self._words) for text in texts]
        return np.array(found, dtype=np.float32)


async def looked(detector: Detector, question: str, *answers: str) -> Verdict:
    rules = (policy(detector=detector),)
    screener = Screener(rules, None, Metrics())
    judge = Judge(screener, Metrics(), rules, (), "", question)
    items = [answer_item(0, ("content",), answer) for answer in answers]
    try:
        return await judge.look(items)
    finally:
        screener.close()


@pytest.mark.parametrize(
    ("question", "answer", "fires"),
    [
        ("Who was born in Ulm?", "It was Rosa.", True),
        ("Who was born in Bonn?", "It was Rosa.", False),
        ("Who was born in Ulm?", "I do not know.", False),
        ("", "Rosa was born in Ulm.", True),
        ("Was Rosa born in Ulm?", "I do not know.", False),  # that is the prompt's policy's
        ("Was Rosa born in Ulm?", "Rosa was born in Ulm.", True),
    ],
)
async def test_the_two_may_tell_what_neither_tells_alone(
    question: str, answer: str, fires: bool
) -> None:
    verdict = await looked(Both("Rosa", "Ulm"), question, answer)
    assert (verdict.action is Action.BLOCK) is fires


async def test_who_reads_no_question_gets_none() -> None:
    detector = Both("Rosa", "Ulm")
    detector.reads_question = False
    assert (await looked(detector, "Who was born in Ulm?", "Rosa.")).action is Action.ALLOW


async def test_what_fires_with_its_question_is_found_in_its_place() -> None:
    verdict = await looked(Both("Rosa", "Ulm"), "Who was born in Ulm?", "Well.", "It was Rosa.")
    assert verdict.items(Action.BLOCK) == (1,)
