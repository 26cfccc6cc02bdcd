"""The official Anthropic client over the guarded routes and a scripted vLLM."""

from collections.abc import AsyncIterator

import anthropic
import orjson
import pytest
from anthropic import AsyncAnthropic
from anthropic.types import MessageParam, ToolParam
from pydantic import BaseModel

from guard.wire.messages import CountTokensProtocol, MessagesProtocol
from tests.fakes import FakeVLLM
from tests.guard.wire.serving import guarded
from tests.guard.wire.transcripts import FAILED_STREAM, TEXT_STREAM, TOOL_STREAM, answer, tool_call

HI: list[MessageParam] = [{"role": "user", "content": "Hi"}]
ATTACK: list[MessageParam] = [{"role": "user", "content": "an attack"}]
WEATHER: ToolParam = {"name": "weather", "input_schema": {"type": "object"}}


class City(BaseModel):
    """A structured answer."""

    name: str


@pytest.fixture
async def client(vllm: FakeVLLM) -> AsyncIterator[AsyncAnthropic]:
    async with (
        guarded(vllm, MessagesProtocol(), CountTokensProtocol()) as url,
        AsyncAnthropic(base_url=url, api_key="x", max_retries=0) as made,
    ):
        yield made


async def test_create_with_tools(client: AsyncAnthropic, vllm: FakeVLLM) -> None:
    calls = [tool_call("weather", '{"city": "Ulm"}')]
    vllm.answer = orjson.loads(answer({"content": "Let me see.", "tool_calls": calls}))
    first = await client.messages.create(
        model="demo", max_tokens=9, system="Be brief.", messages=HI, tools=[WEATHER]
    )
    assert first.stop_reason == "tool_use"
    use = first.content[1]
    assert use.type == "tool_use"
    assert use.input == {"city": "Ulm"}

    vllm.answer = orjson.loads(answer({"content": "Dry."}))
    second = await client.messages.create(
        model="demo",
        max_tokens=9,
        tools=[WEATHER],
        messages=[
            *HI,
            {"role": "assistant", "content": first.content},
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "dry"}],
            },
        ],
    )
    assert second.content[0].type == "text"
    assert vllm.paths == ["/v1/chat/completions"] * 2
    roles = [message["role"] for message in vllm.requests[1]["messages"]]
    assert roles == ["user", "assistant", "tool"]


async def test_structured_output(client: AsyncAnthropic, vllm: FakeVLLM) -> None:
    vllm.answer = orjson.loads(answer({"content": '{"name": "Ulm"}'}))
    parsed = await client.messages.parse(
        model="demo", max_tokens=9, messages=HI, output_format=City
    )
    assert parsed.parsed_output == City(name="Ulm")
    assert vllm.requests[0]["response_format"]["type"] == "json_schema"


async def test_streams(client: AsyncAnthropic, vllm: FakeVLLM) -> None:
    vllm.script = list(TEXT_STREAM)
    async with client.messages.stream(model="demo", max_tokens=9, messages=HI) as stream:
        text = [piece async for piece in stream.text_stream]
        final = await stream.get_final_message()
    assert (text, final.stop_reason) == (["Grüße", ", 世界"], "end_turn")
    assert (final.usage.input_tokens, final.usage.output_tokens) == (9, 4)

    vllm.script = list(TOOL_STREAM)
    async with client.messages.stream(model="demo", max_tokens=9, messages=HI) as stream:
        final = await stream.get_final_message()
    assert [block.type for block in final.content] == ["thinking", "text", "tool_use", "tool_use"]
    use = final.content[2]
    assert use.type == "tool_use"
    assert use.input == {"city": "Ulm"}


@pytest.mark.parametrize("script", [FAILED_STREAM, [*TEXT_STREAM[:2], "die"]])
async def test_lost_streams_raise(
    client: AsyncAnthropic, vllm: FakeVLLM, script: list[bytes | str | None]
) -> None:
    vllm.script = list(script)
    with pytest.raises(anthropic.APIStatusError, match="api_error"):
        async with client.messages.stream(model="demo", max_tokens=9, messages=HI) as stream:
            await stream.until_done()


async def test_refusals(client: AsyncAnthropic, vllm: FakeVLLM) -> None:
    refused = await client.messages.create(model="demo", max_tokens=9, messages=ATTACK)
    assert refused.stop_reason == "refusal"
    async with client.messages.stream(model="demo", max_tokens=9, messages=ATTACK) as stream:
        final = await stream.get_final_message()
    assert final.stop_reason == "refusal"
    assert vllm.requests == []


async def test_errors(vllm: FakeVLLM) -> None:
    async with (
        guarded(vllm, MessagesProtocol(), refusal="error") as url,
        AsyncAnthropic(base_url=url, api_key="x", max_retries=0) as client,
    ):
        with pytest.raises(anthropic.BadRequestError, match="content filtering policy"):
            await client.messages.create(model="demo", max_tokens=9, messages=ATTACK)
        with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
            await client.messages.create(model="demo", max_tokens=0, messages=HI)


async def test_count_tokens(client: AsyncAnthropic, vllm: FakeVLLM) -> None:
    vllm.answer = {"count": 12, "max_model_len": 512, "tokens": [1]}
    counted = await client.messages.count_tokens(model="demo", messages=ATTACK, tools=[WEATHER])
    assert counted.input_tokens == 12
    assert vllm.paths == ["/tokenize"]
