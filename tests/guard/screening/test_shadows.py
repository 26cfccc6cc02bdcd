"""Policies in shadow judge off the request's way: bounded, and never lost."""

import asyncio
from contextlib import suppress

from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.terms.detector import Detector
from guard.terms.item import Item
from guard.terms.verdict import Action
from tests.fakes import HangingDetector, WaitingDetector, WordDetector


def policy(name: str, detector: Detector, *, shadow: bool = False) -> Policy:
    return Policy(name, name, detector, 0.5, Action.BLOCK, Action.BLOCK, shadow)


def screener(shadow: Detector, most_shadowed: int = 1000) -> Screener:
    policies = [policy("new", shadow, shadow=True), policy("old", WordDetector("attack"))]
    return Screener(policies, None, Metrics(), timeout=20, most_shadowed=most_shadowed)


def items(*texts: str) -> list[Item]:
    return [Item(("messages", i), "user", text, True) for i, text in enumerate(texts)]


async def test_the_verdict_does_not_wait_for_them() -> None:
    hanging = HangingDetector()
    judging = screener(hanging)
    screening = await judging.begin(items("an attack"))

    assert [finding.policy for finding in screening.verdict.findings] == ["old"]
    assert screening.whole is not None
    assert not screening.whole.done()
    hanging.released.set()
    whole = await screening.whole
    assert [f.policy for f in (*whole.findings, *whole.passed)] == ["old", "new"]
    await judging.finish()


async def test_one_that_waits_for_a_server_may_be_in_shadow() -> None:
    detector = WaitingDetector()
    judging = screener(detector)
    screening = await judging.begin(items("an attack"))
    assert screening.whole is not None
    detector.gate.set()
    assert [finding.policy for finding in (await screening.whole).findings] == ["new", "old"]
    await judging.finish()


async def test_what_waits_for_them_is_bounded() -> None:
    hanging = HangingDetector()
    judging = screener(hanging, most_shadowed=25)
    first = await judging.begin(items("twenty characters, +"))
    second = await judging.begin(items("no room for these"))

    assert first.whole is not None
    assert second.whole is None
    assert [(f.policy, f.failure) for f in second.verdict.findings] == [("new", "overloaded")]
    hanging.released.set()
    await first.whole
    again = await judging.begin(items("room for these"))
    assert again.whole is not None
    await judging.finish()


async def test_the_end_waits_for_them_a_while_and_tells_what_became_of_them() -> None:
    hanging = HangingDetector()
    judging = screener(hanging)
    screening = await judging.begin(items("an attack"))
    await judging.finish(within_s=0.01)

    assert screening.whole is not None
    told = [(f.policy, f.failure) for f in screening.whole.result().findings]
    assert told == [("new", "overloaded"), ("old", None)]
    hanging.released.set()


async def test_who_leaves_before_the_verdict_begins_none() -> None:
    acting, shadow = HangingDetector(), HangingDetector()
    policies = [policy("new", shadow, shadow=True), policy("old", acting)]
    judging = Screener(policies, None, Metrics(), timeout=20)
    leaving = asyncio.create_task(judging.begin(items("hello")))
    await asyncio.to_thread(acting.entered.wait, 10)
    leaving.cancel()
    with suppress(asyncio.CancelledError):
        await leaving
    acting.released.set()
    await judging.finish()

    assert leaving.cancelled()
    assert not shadow.entered.is_set()


async def test_who_stops_waiting_for_them_stops_none() -> None:
    hanging = HangingDetector()
    judging = screener(hanging)
    waiting = asyncio.create_task(judging.screen(items("hello")))
    await asyncio.to_thread(hanging.entered.wait, 10)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    assert waiting.cancelled()
    hanging.released.set()
    await judging.finish()
