"""Which policies apply: a table of keys, routes and models, then a whole proxy."""

from typing import Any

import pytest

from guard.screening.policy import Policy
from guard.screening.selection import MOST_REMEMBERED, PolicyTable, Selector
from guard.settings import Policy as PolicySettings
from guard.settings import When
from guard.terms.detector import Detector
from guard.terms.verdict import Action
from tests.fakes import FailingDetector, WordDetector
from tests.guard.conftest import RigMaker, bearer, key_of

CHAT, COMPLETIONS = "/v1/chat/completions", "/v1/completions"


@pytest.mark.parametrize(
    ("when", "key", "route", "model", "applies"),
    [
        ({}, "", CHAT, "demo", True),
        ({"keys": ["shop"]}, "shop", CHAT, "demo", True),
        ({"keys": ["shop"]}, "shop2", CHAT, "demo", False),
        ({"keys": ["shop"]}, "", CHAT, "demo", False),
        ({"routes": [CHAT]}, "shop", CHAT, "demo", True),
        ({"routes": [CHAT]}, "shop", COMPLETIONS, "demo", False),
        ({"models": ["big", "demo"]}, "shop", CHAT, "demo", True),
        ({"models": ["big"]}, "shop", CHAT, "demo", False),
        ({"keys": ["shop"], "models": ["big"]}, "shop", CHAT, "demo", False),
        ({"keys": ["shop"], "routes": [CHAT], "models": ["demo"]}, "shop", CHAT, "demo", True),
    ],
)
def test_all_that_is_named_must_match(
    when: dict[str, Any], key: str, route: str, model: str, applies: bool
) -> None:
    assert Selector.build(When.model_validate(when)).applies(key, route, model) is applies


def policy(name: str, action: Action = Action.BLOCK, *, shadow: bool = False) -> Policy:
    return Policy(name, "d", WordDetector(name), 0.5, action, Action.BLOCK, shadow)


def table(*rules: tuple[Policy, When]) -> PolicyTable:
    settings = [
        PolicySettings(name=p.name, detector="d", action="block", when=when) for p, when in rules
    ]
    return PolicyTable.build([p for p, _ in rules], settings)


def test_the_order_stays() -> None:
    rules = table((policy("a"), When()), (policy("b"), When(keys=("shop",))), (policy("c"), When()))

    assert [p.name for p in rules.select("shop", CHAT, "m").policies] == ["a", "b", "c"]
    assert [p.name for p in rules.select("other", CHAT, "m").policies] == ["a", "c"]


def test_corruption_is_possible_only_where_such_a_policy_acts() -> None:
    rules = table(
        (policy("a", Action.CORRUPT), When(keys=("shop",))),
        (policy("b", Action.CORRUPT, shadow=True), When()),
    )

    assert rules.select("shop", CHAT, "m").may_corrupt
    assert not rules.select("other", CHAT, "m").may_corrupt


def test_names_of_models_that_callers_invent_are_not_kept_for_ever() -> None:
    rules = table((policy("a"), When()))

    for number in range(MOST_REMEMBERED + 5):
        rules.select("", CHAT, f"model-{number}")

    assert len(rules._known) <= MOST_REMEMBERED


STRICT, LOOSE = bearer("strict"), bearer("loose")
KEYS = [key_of("strict"), key_of("loose")]


async def statuses(
    make_rig: RigMaker, when: dict[str, Any], detector: Detector | None = None
) -> list[int]:
    """Of a harmful prompt, sent with both keys."""
    rule = ("block", detector or WordDetector("attack"))
    async with make_rig(rule, whens=[when], keys=KEYS) as rig:
        answers = [await rig.chat("attack", headers=headers) for headers in (STRICT, LOOSE)]
    return [answer.status_code for answer in answers]


async def test_a_key_has_its_own_policies(make_rig: RigMaker) -> None:
    assert await statuses(make_rig, {"keys": ["strict"]}) == [400, 200]


async def test_a_route_has_its_own_policies(make_rig: RigMaker) -> None:
    assert await statuses(make_rig, {"routes": [COMPLETIONS]}) == [200, 200]


async def test_a_detector_that_no_policy_of_the_request_needs_does_not_run(
    make_rig: RigMaker,
) -> None:
    """It would fail, and its policy would hold the request back."""
    assert await statuses(make_rig, {"keys": ["strict"]}, FailingDetector()) == [503, 200]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-ecoguard-policy": "none"},
        {"openai-organization": "loose"},
        {"x-api-key": "loose"},
        {"x-forwarded-for": "127.0.0.1"},
    ],
    ids=lambda headers: next(iter(headers)),
)
async def test_headers_choose_no_policy(make_rig: RigMaker, headers: dict[str, str]) -> None:
    when = {"keys": ["strict"]}
    async with make_rig(("block", WordDetector("attack")), whens=[when], keys=KEYS) as rig:
        answer = await rig.chat("attack", headers={**headers, **STRICT})

    assert answer.status_code == 400


@pytest.mark.parametrize("extra", [{"user": "loose"}, {"metadata": {"key": "loose"}}])
async def test_fields_choose_no_policy(make_rig: RigMaker, extra: dict[str, Any]) -> None:
    when = {"keys": ["strict"]}
    async with make_rig(("block", WordDetector("attack")), whens=[when], keys=KEYS) as rig:
        answer = await rig.chat("attack", headers=STRICT, **extra)

    assert answer.status_code == 400


async def test_a_model_has_its_own_policies_named_or_not(make_rig: RigMaker) -> None:
    """A request without a model is for the only one there is, and gets its policies."""
    models = {"demo": {"path": "/nowhere"}}
    rule = ("block", WordDetector("attack"))
    async with make_rig(rule, whens=[{"models": ["demo"]}], models=models) as rig:
        named = await rig.chat("attack")
        unnamed = await rig.chat("attack", model=None)

    assert (named.status_code, unnamed.status_code) == (400, 400)
