"""The check endpoint: the proxy's own verdict, without a call to the model."""

import hashlib
from typing import Any

import pytest

from tests.fakes import FailingDetector, WordDetector
from tests.guard.conftest import RigMaker

ROUTE = "/v1/guard/check"
KEYS = [
    {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest(), "scopes": [scope]}
    for name, scope in (("tool", "check"), ("app", "inference"))
]
OPEN = {"check": {"enabled": True}, "keys": KEYS}
CHECKER = {"authorization": "Bearer tool"}


def asked(*texts: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": text} for text in texts]
    return {"request": {"model": "demo", "messages": messages}}


async def test_it_names_policies_and_places_and_spares_the_model(make_rig: RigMaker) -> None:
    async with make_rig(("corrupt", WordDetector("secret")), **OPEN, models=MODELS) as rig:
        body = asked("hello", "the secret words")
        response = await rig.client.post(ROUTE, json=body, headers=CHECKER)

    verdict = response.json()
    assert verdict["action"] == "corrupt"
    assert verdict["findings"][0]["policy"] == "p0"
    assert {"param": "messages.1.content", "role": "user"} in verdict["findings"][0]["places"]
    assert "secret" not in response.text
    assert rig.vllm.requests == []


async def test_what_could_not_be_judged_is_told_from_a_verdict(make_rig: RigMaker) -> None:
    async with make_rig(("block", FailingDetector()), **OPEN) as rig:
        answer = (await rig.client.post(ROUTE, json=asked("hello"), headers=CHECKER)).json()
    assert answer["action"] == "block"
    assert [finding["failed"] for finding in answer["findings"]] == [True]


async def test_a_check_is_no_traffic_in_the_metrics(make_rig: RigMaker) -> None:
    """Its route is counted; findings, scores and verdicts in shadow are traffic's."""
    policies = [
        {"name": "old", "detector": "d0", "action": "flag"},
        {"name": "new", "detector": "d1", "action": "block", "shadow": True},
    ]
    rules = ("flag", WordDetector("secret")), ("block", WordDetector("word"))
    async with make_rig(*rules, **OPEN, policies=policies) as rig:
        for _ in range(2):
            await rig.client.post(ROUTE, json=asked("a secret word"), headers=CHECKER)
        metrics = (await rig.client.get("/metrics")).text

    lines = [line for line in metrics.splitlines() if not line.startswith("#")]
    counted = [line for line in lines if line.endswith(" 2.0") and "_total" in line]
    assert [line for line in counted if ROUTE in line]
    assert not [line for line in lines if line.startswith(("ecoguard_findings", "ecoguard_shadow"))]
    assert not [line for line in lines if line.startswith("ecoguard_score")]


async def test_it_tells_scores_that_passed_and_findings_in_shadow(make_rig: RigMaker) -> None:
    rules = ("block", WordDetector("secret")), ("flag", WordDetector("word"))
    policies = [
        {"name": "new", "detector": "d0", "action": "block", "shadow": True},
        {"name": "old", "detector": "d1", "action": "flag"},
    ]
    async with make_rig(*rules, **OPEN, policies=policies) as rig:
        answers = [
            (await rig.client.post(ROUTE, json=asked(text), headers=CHECKER)).json()
            for text in ("a secret", "a word")
        ]

    assert [answer["action"] for answer in answers] == ["allow", "flag"]
    shadow, passed = answers[0]["findings"][0], answers[0]["passed"][0]
    assert (shadow["policy"], shadow["action"], shadow["shadow"]) == ("new", "block", True)
    unknown = {"benign": None, "malicious": None}
    assert passed == {
        "policy": "old",
        "detector": "d1",
        "side": "prompt",
        "shadow": False,
        "score": 0.0,
        "threshold": 0.5,
        "p_values": unknown,
    }
    assert [finding["policy"] for finding in answers[1]["findings"]] == ["old"]


MODELS = {"demo": {"path": "/nowhere"}}


async def test_it_checks_every_screened_route(make_rig: RigMaker) -> None:
    async with make_rig(("block", WordDetector("secret")), **OPEN) as rig:
        body = {"route": "/v1/completions", "request": {"model": "demo", "prompt": "secret"}}
        response = await rig.client.post(ROUTE, json=body, headers=CHECKER)

    assert response.json()["action"] == "block"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"request": 5}, "request"),
        ({}, "request"),
        ({"route": "/v1/other", "request": {}}, "route"),
        ({"request": {"model": "demo"}}, "messages"),
        ({"threshold": 1, **asked("x")}, "threshold"),
    ],
)
async def test_bad_checks_name_the_field(
    make_rig: RigMaker, body: dict[str, Any], param: str
) -> None:
    async with make_rig(**OPEN) as rig:
        response = await rig.client.post(ROUTE, json=body, headers=CHECKER)

    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


async def test_it_has_a_key_scope_of_its_own(make_rig: RigMaker) -> None:
    async with make_rig(**OPEN) as rig:
        app = {"authorization": "Bearer app"}
        statuses = [
            (await rig.client.post(ROUTE, json=asked("x"), headers=headers)).status_code
            for headers in ({}, app, CHECKER)
        ]

    assert statuses == [401, 403, 200]


async def test_it_is_off_by_default(make_rig: RigMaker) -> None:
    async with make_rig(keys=KEYS) as rig:
        response = await rig.client.post(ROUTE, json=asked("x"), headers=CHECKER)

    assert response.status_code == 404
