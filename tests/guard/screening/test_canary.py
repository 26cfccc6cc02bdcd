"""A canary: whose requests it judges, that it acts, and how it compares."""

from typing import Any

import pytest

from guard.observability.metrics import Metrics
from guard.screening.canary import Canary
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.screening.selection import PolicyTable
from guard.settings import Policy as PolicySettings
from guard.terms.detector import Detector
from guard.terms.item import Item
from guard.terms.verdict import Action, Verdict
from tests.fakes import FailingDetector, WordDetector

CHAT = "/v1/chat/completions"
OLD, NEW = WordDetector("old"), WordDetector("new", threshold=0.9)


def canary(share: float, detector: Detector = NEW, digest: str = "ab" * 32) -> Canary:
    return Canary(detector, digest, share)


@pytest.mark.parametrize("share", [0.05, 0.3, 1.0])
def test_it_has_its_share_of_keys(share: float) -> None:
    has = [canary(share).has(f"key-{number}") for number in range(2000)]

    assert sum(has) / 2000 == pytest.approx(share, abs=0.03)


def test_a_key_stays_and_the_next_canary_has_others() -> None:
    first, second = canary(0.5), canary(0.5, digest="cd" * 32)
    keys = [f"key-{number}" for number in range(200)]

    assert [first.has(key) for key in keys] == [canary(0.5).has(key) for key in keys]
    assert [first.has(key) for key in keys] != [second.has(key) for key in keys]
    assert all(canary(0.7).has(key) for key in keys if first.has(key))  # a growing share keeps them


def table(new: Detector = NEW, share: float = 1.0, **changes: Any) -> PolicyTable:
    settings = PolicySettings.model_validate(
        {"name": "stop", "detector": "words", "action": "block", **changes}
    )
    policy = Policy.build(settings, OLD)
    return PolicyTable.build([policy], [settings], {"words": canary(share, new)})


def test_both_judge_and_the_new_one_acts() -> None:
    acting, old = table().select("shop", CHAT, "m").policies

    assert (acting.name, acting.detector_name, acting.detector) == (
        "stop@canary",
        "words@canary",
        NEW,
    )
    assert (acting.shadow, acting.threshold) == (False, 0.9)
    assert (old.name, old.detector, old.shadow) == ("stop", OLD, True)


def test_the_operators_threshold_is_for_both() -> None:
    policies = table(threshold=0.3).select("shop", CHAT, "m").policies

    assert [policy.threshold for policy in policies] == [0.3, 0.3]


def test_other_keys_have_the_old_one_alone() -> None:
    (policy,) = table(share=1e-9).select("shop", CHAT, "m").policies

    assert (policy.name, policy.detector, policy.shadow) == ("stop", OLD, False)


def test_a_policy_in_shadow_stays_in_shadow() -> None:
    policies = table(shadow=True).select("shop", CHAT, "m").policies

    assert [policy.shadow for policy in policies] == [True, True]


async def judged(new: Detector, text: str) -> tuple[Verdict, str]:
    metrics = Metrics()
    screener = Screener((), None, metrics)
    try:
        chosen = table(new).select("shop", CHAT, "m").policies
        verdict = await screener.screen([Item(("messages", 0), "user", text)], chosen)
    finally:
        screener.close()
    return verdict, metrics.text().decode()


@pytest.mark.parametrize(
    ("text", "action", "fired"),
    [
        ("old and new", Action.BLOCK, "both"),
        ("old", Action.ALLOW, "only_old"),
        ("new", Action.BLOCK, "only_new"),
        ("neither", Action.ALLOW, "neither"),
    ],
)
async def test_their_agreement_is_counted(text: str, action: Action, fired: str) -> None:
    verdict, exposition = await judged(NEW, text)

    assert verdict.action is action
    assert f'ecoguard_canary_agreement_total{{fired="{fired}",policy="stop"}} 1.0' in exposition
    assert 'ecoguard_canary_score_difference_count{policy="stop"} 1.0' in exposition


async def test_a_canary_that_fails_is_a_failure_of_its_policy() -> None:
    verdict, exposition = await judged(FailingDetector(), "hello")

    assert verdict.action is Action.BLOCK
    assert 'ecoguard_canary_agreement_total{fired="failed",policy="stop"} 1.0' in exposition
    assert "ecoguard_canary_score_difference_count" not in exposition
