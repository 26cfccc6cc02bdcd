"""LiteLLM's generic guardrail API: what is judged of a request and of an answer."""

from typing import Any

import pytest

from tests.fakes import FailingDetector, WordDetector
from tests.guard.conftest import RigMaker, bearer
from tests.guard.server.guards.test_moderations import OPEN

ROUTE = "/beta/litellm_basic_guardrail_api"
BLOCKED = {"action": "BLOCKED", "blocked_reason": "The content was blocked by a policy"}


def request(**fields: Any) -> dict[str, Any]:
    """What LiteLLM sends; absent fields are null there."""
    absent = dict.fromkeys(("texts", "images", "tools", "tool_calls", "structured_messages"))
    return {"input_type": "request", "request_data": {}, **absent, **fields}


USER = {"role": "user", "content": "an attack"}
PARTS = {"role": "user", "content": [{"type": "text", "text": "an attack"}]}
CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": "attack"}'}}
TOOL = {"type": "function", "function": {"name": "f", "description": "an attack"}}
PICTURE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "attack"}}]}


@pytest.mark.parametrize(
    ("body", "action"),
    [
        (request(texts=["hello"]), "NONE"),
        (request(texts=["an attack"]), "BLOCKED"),
        (request(texts=["an attack"], structured_messages=[USER]), "BLOCKED"),
        (request(structured_messages=[PARTS]), "BLOCKED"),
        (request(structured_messages=[{"role": "assistant", "tool_calls": [CALL]}]), "BLOCKED"),
        (request(tools=[TOOL]), "BLOCKED"),
        (request(tool_calls=[CALL]), "BLOCKED"),
        (request(texts=["hello"], images=["data:x"]), "BLOCKED"),
        (request(), "NONE"),
    ],
)
async def test_every_text_of_a_request_is_judged(
    make_rig: RigMaker, body: dict[str, Any], action: str
) -> None:
    async with make_rig(("block", WordDetector("attack")), **OPEN) as rig:
        # LiteLLM presents its key so.
        response = await rig.client.post(ROUTE, json=body, headers={"x-api-key": "tool"})
    assert (response.status_code, response.json()["action"]) == (200, action)


async def test_pictures_pass_where_the_operator_lets_them(make_rig: RigMaker) -> None:
    fields = {"media": "allow_unscreened"}
    body = request(structured_messages=[PICTURE], images=["attack"])
    async with make_rig(("block", WordDetector("attack")), **OPEN, fields=fields) as rig:
        response = await rig.client.post(ROUTE, json=body, headers=bearer("tool"))
    assert response.json() == {"action": "NONE"}


async def test_answers_are_judged_by_the_policies_for_answers(make_rig: RigMaker) -> None:
    policies = [
        {"name": "prompts", "detector": "d0", "action": "block"},
        {"name": "answers", "detector": "d1", "action": "block", "side": "answer"},
    ]
    rules = ("block", WordDetector("attack")), ("block", WordDetector("secret"))
    bodies = [
        request(input_type="response", texts=["an attack"]),
        request(input_type="response", texts=["a secret"]),
        request(input_type="response", tool_calls=[{"function": {"arguments": "secret"}}]),
        request(texts=["a secret"]),
    ]
    async with make_rig(*rules, **OPEN, policies=policies) as rig:
        answers = [
            (await rig.client.post(ROUTE, json=body, headers=bearer("tool"))).json()
            for body in bodies
        ]
    assert answers == [{"action": "NONE"}, BLOCKED, BLOCKED, {"action": "NONE"}]


async def test_no_verdict_is_an_error(make_rig: RigMaker) -> None:
    async with make_rig(("block", FailingDetector()), **OPEN) as rig:
        response = await rig.client.post(
            ROUTE, json=request(texts=["hello"]), headers=bearer("tool")
        )
    assert response.status_code == 503


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"texts": ["x"]}, "input_type"),
        (request(texts=[5]), "texts.0"),
        (request(texts="x"), "texts"),
        (request(structured_messages=["x"]), "structured_messages.0"),
        (request(tools={}), "tools"),
    ],
)
async def test_another_form_names_the_field(
    make_rig: RigMaker, body: dict[str, Any], param: str
) -> None:
    async with make_rig(**OPEN) as rig:
        response = await rig.client.post(ROUTE, json=body, headers=bearer("tool"))
    assert (response.status_code, response.json()["error"]["param"]) == (400, param)
