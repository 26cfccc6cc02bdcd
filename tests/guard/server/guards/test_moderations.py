"""`/v1/moderations` with the official client, and what it refuses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types import ModerationTextInputParam

from guard.terms.detector import Detector
from tests.fakes import FailingDetector, WordDetector
from tests.guard.conftest import Rig, RigMaker, bearer, key_of

ROUTE = "/v1/moderations"
OPEN = {
    "check": {"enabled": True},
    "keys": [key_of("tool", "check"), key_of("app", "inference")],
}


@asynccontextmanager
async def asking(
    make_rig: RigMaker, *rules: tuple[str, Detector], **more: Any
) -> AsyncIterator[tuple[AsyncOpenAI, Rig]]:
    """The official client of a rig, with a key that may check."""
    async with (
        make_rig(*rules, **OPEN, **more) as rig,
        AsyncOpenAI(base_url=f"{rig.client.base_url}/v1", api_key="tool", max_retries=0) as client,
    ):
        yield client, rig


async def test_the_official_client_reads_the_verdict_on_each_input(make_rig: RigMaker) -> None:
    rules = ("block", WordDetector("attack")), ("flag", WordDetector("maybe"))
    async with asking(make_rig, *rules) as (client, rig):
        answer = await client.moderations.create(input=["hello", "an attack", "maybe"])
    assert [result.flagged for result in answer.results] == [False, True, False]
    assert answer.results[1].categories.to_dict() == {"p0": True, "p1": False}
    assert answer.results[2].categories.to_dict() == {"p0": False, "p1": True}
    assert answer.results[1].category_scores.to_dict() == {"p0": 1.0, "p1": 0.0}
    assert rig.vllm.requests == []


async def test_parts_are_one_input(make_rig: RigMaker) -> None:
    parts: list[ModerationTextInputParam] = [
        {"type": "text", "text": "hello"},
        {"type": "text", "text": "an attack"},
    ]
    async with asking(make_rig, ("block", WordDetector("attack"))) as (client, _):
        answer = await client.moderations.create(model="omni-moderation-latest", input=parts)
    assert [result.flagged for result in answer.results] == [True]


async def test_no_verdict_is_an_error_and_never_a_good_one(make_rig: RigMaker) -> None:
    async with asking(make_rig, ("block", FailingDetector())) as (client, _):
        with pytest.raises(openai.InternalServerError) as error:
            await client.moderations.create(input="hello")
    assert (error.value.status_code, error.value.code) == (503, "screening_failed")


async def test_shadow_is_not_told_and_nothing_is_traffic(make_rig: RigMaker) -> None:
    policies = [
        {"name": "new", "detector": "d0", "action": "block", "shadow": True},
        {"name": "old", "detector": "d1", "action": "block"},
    ]
    rules = ("block", WordDetector("attack")), ("block", WordDetector("attack"))
    async with asking(make_rig, *rules, policies=policies) as (client, rig):
        answer = await client.moderations.create(input="an attack")
        metrics = (await rig.client.get("/metrics")).text
    assert answer.results[0].categories.to_dict() == {"old": True}
    found = [line for line in metrics.splitlines() if not line.startswith("#")]
    assert not [line for line in found if line.startswith(("ecoguard_findings", "ecoguard_score"))]
    assert [line for line in found if ROUTE in line and line.startswith("ecoguard_requests")]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["x"] * 257}, "input"),
        ({"input": ["x", 5]}, "input.0"),
        ({"input": [{"type": "image_url", "image_url": {"url": "x"}}]}, "input.0"),
        ({"input": "x", "policy": "y"}, "policy"),
    ],
)
async def test_another_form_names_the_field(
    make_rig: RigMaker, body: dict[str, Any], param: str
) -> None:
    async with make_rig(**OPEN) as rig:
        response = await rig.client.post(ROUTE, json=body, headers=bearer("tool"))
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize(
    "route", [ROUTE, "/beta/litellm_basic_guardrail_api", "/api/v1/text/contents"]
)
async def test_it_takes_a_key_that_may_check(make_rig: RigMaker, route: str) -> None:
    async with make_rig(**OPEN) as rig:
        refused = await rig.client.post(route, json={}, headers=bearer("app"))
        unknown = await rig.client.post(route, json={})
    assert (refused.status_code, unknown.status_code) == (403, 401)
    async with make_rig(keys=OPEN["keys"]) as rig:
        absent = await rig.client.post(route, json={}, headers=bearer("tool"))
    assert absent.status_code == 404
