"""Long flagged texts: what of them is corrupted, and what is judged once more."""

from dataclasses import dataclass

import numpy as np

from guard.observability.metrics import Metrics
from guard.screening.passages import begin
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.terms.detector import Features, Scores
from guard.terms.item import Item
from guard.terms.verdict import Action, Verdict
from tests.fakes import WordDetector

OTHER = "The harbour of Tallow has two lighthouses, and both were built in the same year. " * 9
ABOUT = "Ilse Varnholt was born in Velm."
DOCUMENTS = f"{OTHER}\n\n{ABOUT}\n\n{OTHER}"


@dataclass
class Request(WordDetector):
    """Fires on a name, and on a meaning that has none."""

    word: str = "varnholt"
    meaning: str = "restorer of lamps"

    def score(self, texts: list[str], features: Features | None) -> Scores:  # type: ignore[override]
        fired = [self.meaning in text for text in texts]
        return np.maximum(super().score(texts, features), np.array(fired, np.float32))

    def names_in(self, text: str) -> bool:
        return self.word in text.lower()


class FailingOnTheRest(WordDetector):
    """Fails without the name."""

    def __init__(self) -> None:
        super().__init__("nothing")

    def score(self, texts: list[str], features: Features | None) -> Scores:  # type: ignore[override]
        if not any("Varnholt" in text for text in texts):
            raise RuntimeError("scripted failure")
        return super().score(texts, features)


async def judged(
    *texts: str, action: Action = Action.CORRUPT, beside: WordDetector | None = None
) -> tuple[Verdict, list[Item]]:
    items = [
        Item(("messages", at, "content"), "user", text, corruptible=True)
        for at, text in enumerate(texts)
    ]
    detectors = [Request(), *([beside] if beside else [])]
    policies = [
        Policy(f"p{at}", f"set{at}", detector, 0.5, action, Action.BLOCK)
        for at, detector in enumerate(detectors)
    ]
    screener = Screener(policies, None, Metrics())
    try:
        return (await begin(screener, items, policies, "")).verdict, items
    finally:
        screener.close()


def corrupted(verdict: Verdict, items: list[Item]) -> dict[int, str]:
    return {
        index: "|".join(items[index].text[start:end].strip() for start, end in ranges)
        for index, ranges in verdict.passages.items()
    }


async def test_of_many_documents_the_one_about_the_person_is_corrupted() -> None:
    verdict, items = await judged(DOCUMENTS, "How old are the lighthouses?")

    assert verdict.items(Action.CORRUPT) == (0,)
    assert corrupted(verdict, items) == {0: ABOUT}


async def test_what_would_be_flagged_by_itself_is_not_spared() -> None:
    verdict, items = await judged(f"{DOCUMENTS} Where was the restorer of lamps born?")

    assert verdict.items(Action.CORRUPT) == (0,)
    assert corrupted(verdict, items) == {}


async def test_a_short_text_is_corrupted_as_a_whole() -> None:
    verdict, items = await judged(ABOUT, DOCUMENTS)

    assert verdict.items(Action.CORRUPT) == (0, 1)
    assert corrupted(verdict, items) == {1: ABOUT}


async def test_a_verdict_that_corrupts_nothing_stays_as_it_is() -> None:
    verdict, _ = await judged(DOCUMENTS, action=Action.BLOCK)

    assert verdict.action is Action.BLOCK
    assert verdict.passages == {}


async def test_where_the_rest_cannot_be_judged_all_of_it_is_corrupted() -> None:
    verdict, _ = await judged(DOCUMENTS, beside=FailingOnTheRest())

    assert verdict.items(Action.CORRUPT) == (0,)
    assert verdict.passages == {}
