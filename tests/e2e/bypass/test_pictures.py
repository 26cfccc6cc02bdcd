"""The canary written in pictures, in every field that takes one: read there as anywhere else."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.bypass.answers import assert_filtered
from tests.e2e.bypass.canary import BENIGN, PHRASE
from tests.e2e.bypass.rig import Proxy, Rig
from tests.e2e.bypass.vectors.vector import CHAT, CHECK, EMBEDDINGS, MESSAGES, RESPONSES
from tests.guard.images.pictures import url, written

pytestmark = pytest.mark.vllm

PICTURE = url(written(PHRASE))
PART: dict[str, Any] = {"type": "image_url", "image_url": {"url": PICTURE}}
SHOWN: dict[str, Any] = {"type": "input_image", "image_url": PICTURE}
BLOCK: dict[str, Any] = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/gif", "data": PICTURE.partition(",")[2]},
}
TEXT: dict[str, Any] = {"type": "text", "text": BENIGN}
USER: dict[str, Any] = {"role": "user", "content": BENIGN}
USE: dict[str, Any] = {"type": "tool_use", "id": "t", "name": "look", "input": {}}


def chat(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"model": "demo", "messages": list(messages), "max_tokens": 4}


def respond(*items: dict[str, Any]) -> dict[str, Any]:
    return {"model": "demo", "input": list(items)}


FIELDS: dict[str, tuple[str, dict[str, Any]]] = {
    **{
        f"chat, {role}": (CHAT, chat({"role": role, "content": [TEXT, PART]}, USER))
        for role in ("system", "developer", "user", "assistant", "tool")
    },
    "chat, a lone URL": (CHAT, chat({"role": "user", "content": [{**PART, "image_url": PICTURE}]})),
    "chat, before the text": (CHAT, chat({"role": "user", "content": [PART, TEXT]})),
    "embeddings": (
        EMBEDDINGS,
        {"model": "demo", "messages": [{"role": "user", "content": [PART]}]},
    ),
    "responses": (RESPONSES, respond({"role": "user", "content": [SHOWN]})),
    "responses, output of a call": (
        RESPONSES,
        respond(
            USER,
            {"type": "function_call", "call_id": "c", "name": "look", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [SHOWN]},
        ),
    ),
    "messages": (MESSAGES, chat({"role": "user", "content": [BLOCK]})),
    "messages, a tool's result": (
        MESSAGES,
        chat(
            USER,
            {"role": "assistant", "content": [USE]},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "t", "content": [BLOCK]}],
            },
        ),
    ),
}


@pytest.fixture(scope="module")
def seeing(rig: Rig) -> Iterator[Proxy]:
    """A proxy that takes pictures and blocks the canary."""
    made = rig.proxy("block", images={"enabled": True, "timeout_s": 120})
    with made.client:
        yield made


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_written_in_a_picture_is_blocked(seeing: Proxy, field: str) -> None:
    seeing.forget()
    route, body = FIELDS[field]
    assert_filtered(seeing.post(route, body), route)
    assert seeing.sent_on() == []


@pytest.mark.parametrize("field", FIELDS)
def test_the_check_endpoint_says_the_same(seeing: Proxy, field: str) -> None:
    route, body = FIELDS[field]
    answer = seeing.post(CHECK, {"route": route, "request": body})
    assert answer.json()["action"] == "block", answer.text
