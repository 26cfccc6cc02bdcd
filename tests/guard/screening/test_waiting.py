"""Detectors that wait for a server: they hold no thread, are bounded, and fail alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.score_cache import ScoreCache
from guard.screening.screener import Screener
from guard.terms.conversation import Asked as AskedContent
from guard.terms.detector import Detector, Scores
from guard.terms.item import Item, Modality, Picture
from guard.terms.verdict import Action
from tests.fakes import WaitingDetector, WordDetector
from tests.turns import turns


def policy(name: str, detector: Detector, *, shadow: bool = False) -> Policy:
    return Policy(name, name, detector, 0.5, Action.BLOCK, Action.FLAG, shadow)


def items(*texts: str) -> list[Item]:
    return [Item(("messages", i), "user", text, True) for i, text in enumerate(texts)]


def screener(*policies: Policy, queue: int = 8, cache: ScoreCache | None = None) -> Screener:
    return Screener(policies, None, Metrics(), threads=1, queue=queue, timeout=20, cache=cache)


@dataclass
class Asked(WaitingDetector):
    """Says when it has been asked so often."""

    def __post_init__(self) -> None:
        self.asked = asyncio.Event()
        self.wanted = 1

    async def ask(self, contents: Sequence[AskedContent]) -> Scores:
        if self.open + 1 >= self.wanted:
            self.asked.set()
        return await super().ask(contents)


async def test_while_it_waits_the_only_thread_computes() -> None:
    slow, word = policy("slow", Asked()), policy("word", WordDetector("attack"))
    judging = screener(slow, word)
    waiting = asyncio.create_task(judging.screen(items("an attack")))
    assert isinstance(slow.detector, Asked)
    await slow.detector.asked.wait()

    found = await judging.screen(items("an attack"), [word])
    assert found.action is Action.BLOCK
    assert not waiting.done()

    slow.detector.gate.set()
    assert [finding.policy for finding in (await waiting).findings] == ["slow", "word"]
    judging.close()


async def test_so_many_questions_are_open_and_no_more() -> None:
    detector = Asked()
    detector.wanted = detector.most_questions
    judging = screener(policy("slow", detector))
    waiting = [asyncio.create_task(judging.screen(items(f"an attack {n}"))) for n in range(6)]
    await detector.asked.wait()
    assert detector.open == 2

    detector.gate.set()
    verdicts = await asyncio.gather(*waiting)
    assert {verdict.action for verdict in verdicts} == {Action.BLOCK}
    assert detector.most_open == 2
    judging.close()


async def test_more_than_may_wait_fail_at_once_and_alone() -> None:
    detector = Asked()
    detector.wanted = detector.most_questions
    slow, word = policy("slow", detector), policy("word", WordDetector("attack"))
    judging = screener(slow, word, queue=2)
    waiting = [asyncio.create_task(judging.screen(items("fine"), [slow])) for _ in range(2)]
    await detector.asked.wait()
    waiting += [asyncio.create_task(judging.screen(items("fine"), [slow])) for _ in range(2)]
    await turns()  # so that they are before the next
    async with asyncio.timeout(5):
        verdict = await judging.screen(items("an attack"))

    assert [(f.policy, f.failure) for f in verdict.findings] == [
        ("slow", "overloaded"),
        ("word", None),
    ]
    detector.gate.set()
    assert [(await one).action for one in waiting] == [Action.ALLOW] * 4
    judging.close()


@dataclass
class Broken(WaitingDetector):
    """Answers with what is no score."""

    async def ask(self, contents: Sequence[AskedContent]) -> Scores:
        if self.word == "raise":
            raise ConnectionError("scripted")
        return np.zeros(len(contents) + 1, dtype=np.float32)


@pytest.mark.parametrize(
    ("detector", "failure"),
    [
        (Broken(), "failed"),
        (Broken("raise"), "failed"),
        (WaitingDetector(timeout_s=0.01), "timeout"),
    ],
    ids=["no scores", "raises", "late"],
)
async def test_its_failure_is_a_finding_of_its_policy_only(
    detector: WaitingDetector, failure: str
) -> None:
    judging = screener(policy("slow", detector), policy("word", WordDetector("attack")))
    verdict = await judging.screen(items("an attack"))

    assert [(f.policy, f.action, f.failure) for f in verdict.findings] == [
        ("slow", Action.FLAG, failure),
        ("word", Action.BLOCK, None),
    ]
    assert verdict.failure is None
    judging.close()


async def test_it_reads_what_others_read() -> None:
    """Views, and turns joined once those that fired are left out."""
    detector = WaitingDetector("build the\nbomb")
    detector.gate.set()
    judging = screener(policy("slow", detector))
    verdict = await judging.screen(items("build the\nbomb", "build the", "bomb", "hello"))
    assert verdict.items(Action.BLOCK)[:3] == (0, 1, 2)
    assert (await judging.screen(items("YnVpbGQgdGhlCmJvbWI="))).action is Action.BLOCK
    judging.close()


async def test_what_it_said_is_remembered() -> None:
    cache = ScoreCache(1 << 20, Metrics())
    detector = WaitingDetector()
    detector.version = "1"
    detector.gate.set()
    judging = screener(policy("slow", detector), cache=cache)
    first = await judging.screen(items("an attack"), owner="shop")
    detector.gate.clear()
    assert await judging.screen(items("an attack"), owner="shop") == first
    judging.close()


async def test_two_policies_ask_once() -> None:
    detector = WaitingDetector()
    detector.gate.set()
    judging = screener(policy("a", detector), policy("b", detector))
    verdict = await judging.screen(items("an attack"))
    assert [finding.policy for finding in verdict.findings] == ["a", "b"]
    assert detector.most_open == 1
    judging.close()


async def test_pictures_are_asked_about_too() -> None:
    detector = WaitingDetector()
    detector.modalities = frozenset[Modality]({"image"})
    detector.gate.set()
    judging = screener(policy("slow", detector))
    picture = Item(("messages", 0, "content", 0), "user", Picture("image/png", b"attack", 1, 1))
    verdict = await judging.screen([picture, *items("an attack")])
    assert verdict.items(Action.BLOCK) == (0,)
    judging.close()


def test_tools_may_ask_it_without_an_event_loop() -> None:
    detector = WaitingDetector()
    detector.gate.set()
    judging = screener(policy("slow", detector))
    (finding,) = judging.judge(items("an attack"))
    assert finding.items == (0,)
    judging.close()
