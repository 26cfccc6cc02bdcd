"""The openai package on `/v1/responses`."""

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.responses import CustomToolParam, FunctionToolParam

from classifiers.model_server.vllm import VllmServer
from tests.e2e.clients.requests import CALL_TOKENS, ENDLESS, QUESTION, Weather
from tests.e2e.clients.service import BLOCKED, REFUSAL

pytestmark = pytest.mark.vllm

TOOL: FunctionToolParam = {
    "type": "function",
    "name": "weather",
    "parameters": {**Weather.model_json_schema(), "additionalProperties": False},
    "strict": True,
}
# What differs from one answer to the next, and what vLLM leaves out of a custom tool's call.
OWN = {"id", "call_id", "status"}


def test_an_answer(client: OpenAI) -> None:
    response = client.responses.create(
        model="demo", input=QUESTION, instructions="Be brief.", max_output_tokens=8, temperature=0
    )
    chat = client.chat.completions.create(
        model="demo",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": QUESTION},
        ],
        max_tokens=8,
        temperature=0,
    )

    assert response.output_text == chat.choices[0].message.content
    assert response.status in ("completed", "incomplete")
    assert response.usage is not None
    assert chat.usage is not None
    assert response.usage.total_tokens == chat.usage.total_tokens


def test_a_stream(client: OpenAI) -> None:
    with client.responses.stream(
        model="demo", input=QUESTION, max_output_tokens=8, temperature=0
    ) as stream:
        events = list(stream)
    whole = client.responses.create(
        model="demo", input=QUESTION, max_output_tokens=8, temperature=0
    )

    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == whole.output_text
    assert events[0].type == "response.created"
    assert events[-1].type == f"response.{whole.status}"
    assert [event.sequence_number for event in events] == list(range(len(events)))


def test_structured_output_and_a_conversation(client: OpenAI) -> None:
    first = client.responses.parse(
        model="demo", input=QUESTION, text_format=Weather, max_output_tokens=CALL_TOKENS
    )
    second = client.responses.create(
        model="demo", input="And then?", previous_response_id=first.id, max_output_tokens=4
    )

    assert isinstance(first.output_parsed, Weather)
    assert second.previous_response_id == first.id
    assert first.usage is not None
    assert second.usage is not None
    assert second.usage.input_tokens > first.usage.input_tokens
    assert client.responses.retrieve(first.id).output_text == first.output_text
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_a_tool(client: OpenAI) -> None:
    response = client.responses.create(
        model="demo",
        input=QUESTION,
        tools=[TOOL],
        tool_choice="required",
        parallel_tool_calls=False,
        max_output_tokens=CALL_TOKENS,
        temperature=0,
    )
    (call,) = (item for item in response.output if item.type == "function_call")
    assert call.name == "weather"
    assert Weather.model_validate_json(call.arguments)

    told = client.responses.create(
        model="demo",
        input=[{"type": "function_call_output", "call_id": call.call_id, "output": "dry"}],
        previous_response_id=response.id,
        max_output_tokens=4,
    )
    assert told.output[0].type == "message"


def test_an_agents_tools_give_what_vllm_itself_gives(client: OpenAI, vllm: VllmServer) -> None:
    """A custom tool, a namespace and a tool that OpenAI runs, as Codex CLI sends them."""
    direct = OpenAI(base_url=f"{vllm.url}/v1", api_key="x", max_retries=0)
    custom: CustomToolParam = {"type": "custom", "name": "note", "description": "Takes notes."}
    body: dict[str, Any] = {
        "model": "demo",
        "input": [{"role": "user", "content": QUESTION}],
        "include": ["reasoning.encrypted_content"],
        "max_output_tokens": CALL_TOKENS,
        "temperature": 0,
        "store": False,
    }
    namespace = {"type": "namespace", "name": "sky", "description": "Skies.", "tools": [TOOL]}
    hosted = {"type": "web_search"}
    for tools, choice in (
        ([custom, hosted], {"type": "custom", "name": "note"}),
        ([namespace, custom], {"type": "function", "name": "weather"}),
    ):
        asked = {**body, "tools": tools, "tool_choice": choice}
        guarded, plain = (
            each.responses.create(**asked)
            .output[-1]
            .model_dump(exclude={"id", "call_id", "status"})
            for each in (client, direct)
        )
        assert guarded.keys() - plain.keys() == set()
        assert {name: plain[name] for name in guarded} == guarded


def test_an_agents_second_turn_is_streamed(client: OpenAI) -> None:
    turns: list[Any] = [
        {"role": "developer", "content": "Be careful."},
        {"role": "user", "content": QUESTION},
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
        {"type": "custom_tool_call", "name": "note", "input": "hm", "call_id": "c1"},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "written"},
    ]
    asked: dict[str, Any] = {"tools": [{"type": "custom", "name": "note"}], "input": turns}
    with client.responses.stream(
        model="demo",
        max_output_tokens=CALL_TOKENS,
        tool_choice={"type": "custom", "name": "note"},
        extra_body={"client_metadata": {"installation": "x"}},
        **asked,
    ) as stream:
        events = list(stream)

    kinds = {event.type for event in events}
    assert "response.custom_tool_call_input.delta" in kinds
    assert events[-1].type in ("response.completed", "response.incomplete")


async def test_the_async_client(async_client: AsyncOpenAI) -> None:
    stream = await async_client.responses.create(
        model="demo", input=QUESTION, max_output_tokens=4, stream=True
    )
    events = [event async for event in stream]

    assert events[-1].type in ("response.completed", "response.incomplete")
    with pytest.raises(openai.BadRequestError):
        await async_client.responses.create(model="demo", input=BLOCKED)


@pytest.mark.parametrize("stream", [False, True])
def test_a_block_raises(client: OpenAI, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.responses.create(model="demo", input=BLOCKED, stream=stream)

    error = caught.value
    assert (error.status_code, error.code, error.param) == (400, "content_filter", "input")


def test_a_refusal_as_a_message(polite: OpenAI) -> None:
    response = polite.responses.create(model="demo", input=BLOCKED)
    parsed = polite.responses.parse(model="demo", input=BLOCKED, text_format=Weather)

    assert response.status == "incomplete"
    assert response.incomplete_details is not None
    assert response.incomplete_details.reason == "content_filter"
    (item,) = response.output
    assert item.type == "message"
    assert item.content[0].type == "refusal"
    assert item.content[0].refusal == REFUSAL
    assert parsed.output_parsed is None


def test_a_refusal_as_a_stream(polite: OpenAI) -> None:
    with polite.responses.stream(model="demo", input=BLOCKED) as stream:
        events = list(stream)

    deltas = [event.delta for event in events if event.type == "response.refusal.delta"]
    assert "".join(deltas) == REFUSAL
    assert events[-1].type == "response.incomplete"


def test_mistakes(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as unknown:
        client.responses.create(model="nobody", input=QUESTION)
    with pytest.raises(openai.BadRequestError) as too_long:
        client.responses.create(model="demo", input=ENDLESS)
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="wrong").responses.create(model="demo", input=QUESTION)

    assert unknown.value.code == "model_not_found"
    assert too_long.value.code == "context_length_exceeded"
