"""A policy whose detector is asked only where another's score gives reason."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from guard.observability.metrics import Metrics
from guard.screening.grouping import asked_after
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.settings import AskIf
from guard.terms.detector import Detector, Features, Scores
from guard.terms.item import Item
from guard.terms.verdict import Action, Verdict
from tests.fakes import FailingDetector, WaitingDetector, WordDetector

ASK_IF = AskIf(policy="cheap", score=0.5)


@dataclass
class Counted(WordDetector):
    """Notes what it was asked."""

    asked: list[str] = field(default_factory=list)

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:
        self.asked += texts
        return super().score(texts, features)


def policy(name: str, detector: Detector, ask_if: AskIf | None = None) -> Policy:
    return Policy(name, name, detector, 0.5, Action.BLOCK, Action.FLAG, ask_if=ask_if)


async def screened(metrics: Metrics, *policies: Policy, text: str, within: float = 20) -> Verdict:
    screener = Screener(policies, None, metrics, timeout=within)
    try:
        return await screener.screen([Item(("messages", 0), "user", text)])
    finally:
        await screener.finish()


@pytest.mark.parametrize(
    ("text", "asked", "action"),
    [
        ("a bomb", [], Action.ALLOW),
        ("suspicious", ["suspicious"], Action.BLOCK),
        ("a suspicious bomb", ["a suspicious bomb"], Action.BLOCK),
    ],
)
async def test_the_dear_detector_is_asked_where_the_cheap_one_gives_reason(
    text: str, asked: list[str], action: Action
) -> None:
    dear, metrics = Counted("bomb"), Metrics()
    cheap = policy("cheap", WordDetector("suspicious"))
    verdict = await screened(metrics, policy("dear", dear, ASK_IF), cheap, text=text)
    assert dear.asked == asked
    assert verdict.action is action
    assert len(verdict.findings) + len(verdict.passed) == 2
    counted = 'ecoguard_score_count{policy="dear"}' in metrics.text().decode()
    assert counted == bool(asked)  # what was not asked has no score


async def test_where_the_cheap_one_fails_the_dear_one_is_asked() -> None:
    dear = Counted("bomb")
    cheap = policy("cheap", FailingDetector())
    verdict = await screened(Metrics(), cheap, policy("dear", dear, ASK_IF), text="a bomb")
    assert dear.asked == ["a bomb"]
    assert [finding.policy for finding in verdict.findings] == ["cheap", "dear"]


async def test_where_the_cheap_one_is_too_late_so_is_the_dear_one() -> None:
    dear = Counted("bomb")
    cheap = policy("cheap", WaitingDetector())
    verdict = await screened(
        Metrics(), cheap, policy("dear", dear, ASK_IF), text="a bomb", within=0.2
    )
    assert [finding.failure for finding in verdict.findings] == ["timeout", "timeout"]
    assert dear.asked == []


async def test_a_server_may_be_what_is_dear() -> None:
    dear = WaitingDetector("bomb")
    dear.gate.set()
    cheap = policy("cheap", WordDetector("suspicious"))
    found = [
        await screened(Metrics(), cheap, policy("dear", dear, ASK_IF), text=text)
        for text in ("a bomb", "a suspicious bomb")
    ]
    assert [verdict.action for verdict in found] == [Action.ALLOW, Action.BLOCK]
    assert dear.most_open == 1


def test_a_policy_that_is_not_there_decides_nothing() -> None:
    dear = policy("dear", WordDetector("bomb"), ASK_IF)
    assert asked_after([dear], []) == ((dear,), ())
