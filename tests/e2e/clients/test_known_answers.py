"""Answers of a real vLLM come back through the official clients, and the guard knows them."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from anthropic import Anthropic
from openai import OpenAI

from classifiers.model_server.vllm import VllmServer
from guard.server.app import create_app
from guard.settings import Settings
from tests.e2e.clients.requests import QUESTION
from tests.e2e.clients.service import KEY
from tests.e2e.serving import served

pytestmark = pytest.mark.vllm

ASKED = {"role": "user", "content": QUESTION}
LOOK = {
    "name": "look",
    "parameters": {
        "type": "object",
        "properties": {"at": {"enum": ["sky"]}},
        "required": ["at"],
        "additionalProperties": False,
    },
}


@contextmanager
def guarded(vllm: VllmServer) -> Iterator[str]:
    """The address of an EcoGuard that judges attacks."""
    policy = {"name": "p", "detector": "d", "action": "flag"}
    settings = Settings.model_validate(
        {
            "upstream": {"url": vllm.url},
            "models": {vllm.served_name: {"path": vllm.model}},
            "detectors": {"d": {"kind": "phrases", "phrases": ["nobody says that"]}},
            "policies": [policy],
            "keys": [{"name": "client", "sha256": hashlib.sha256(KEY.encode()).hexdigest()}],
        }
    )
    with served(create_app(settings)) as root:
        yield root


def looked(root: str) -> dict[str, float]:
    """How many fields of assistants' turns were known, and how many were not."""
    text = httpx2.get(f"{root}/metrics").text
    name = 'ecoguard_recognised_texts_total{kind="answer",result="'
    found = [line.removeprefix(name) for line in text.splitlines() if line.startswith(name)]
    return {line.partition('"')[0]: float(line.rpartition(" ")[2]) for line in found}


def test_every_protocol_s_answers_come_back_known(vllm: VllmServer) -> None:
    with (
        guarded(vllm) as root,
        OpenAI(base_url=f"{root}/v1", api_key=KEY, max_retries=0) as openai,
        Anthropic(base_url=root, api_key=KEY, max_retries=0) as anthropic,
    ):
        chats_come_back(openai, vllm.served_name)
        counts = [looked(root)]
        responses_come_back(openai, vllm.served_name)
        counts.append(looked(root))
        messages_come_back(anthropic, vllm.served_name)
        counts.append(looked(root))
    assert "unknown" not in counts[-1]
    chats, responses, messages = (count["known"] for count in counts)
    assert chats == 2
    assert responses == chats + 2
    assert messages == responses + 1


def chats_come_back(client: Any, model: str) -> None:
    """Whole with a tool call, and streamed."""
    tools = [{"type": "function", "function": LOOK}]
    whole = client.chat.completions.create(
        model=model,
        messages=[ASKED],
        tools=tools,
        tool_choice={"type": "function", "function": {"name": "look"}},
        max_tokens=64,
    )
    said = whole.choices[0].message.model_dump(exclude_none=True)
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": "found"}
        for call in said.get("tool_calls", ())
    ]
    with client.chat.completions.stream(
        model=model,
        messages=[ASKED, said, *results],
        max_tokens=24,
    ) as stream:
        answer = stream.get_final_completion().choices[0].message.content
    turns = [ASKED, {"role": "assistant", "content": answer}, ASKED]
    client.chat.completions.create(model=model, messages=turns, max_tokens=2)


def responses_come_back(client: Any, model: str) -> None:
    """As items, and by the response's id."""
    first = client.responses.create(model=model, input=[ASKED], max_output_tokens=24)
    items = [item.model_dump(exclude_none=True) for item in first.output]
    again = [ASKED, *items, ASKED]
    client.responses.create(model=model, input=again, max_output_tokens=2)
    client.responses.create(
        model=model, input=QUESTION, previous_response_id=first.id, max_output_tokens=2
    )


def messages_come_back(client: Any, model: str) -> None:
    """Streamed, as blocks."""
    with client.messages.stream(model=model, messages=[ASKED], max_tokens=24) as stream:
        said = stream.get_final_message()
    blocks = [block.model_dump(exclude_none=True) for block in said.content]
    turns = [ASKED, {"role": "assistant", "content": blocks}, ASKED]
    client.messages.create(model=model, messages=turns, max_tokens=2)
