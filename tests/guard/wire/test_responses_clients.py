"""The official OpenAI client over the guarded route and a scripted vLLM."""

from collections.abc import AsyncIterator

import openai
import orjson
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from guard.wire.responses import ResponsesProtocol
from tests.fakes import FakeVLLM
from tests.guard.wire.serving import guarded
from tests.guard.wire.transcripts import FAILED_STREAM, TEXT_STREAM, TOOL_STREAM, answer, tool_call


class City(BaseModel):
    """A structured answer."""

    name: str


@pytest.fixture
async def client(vllm: FakeVLLM) -> AsyncIterator[AsyncOpenAI]:
    async with (
        guarded(vllm, ResponsesProtocol()) as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as made,
    ):
        yield made


async def test_create_and_continue(client: AsyncOpenAI, vllm: FakeVLLM) -> None:
    vllm.answer = orjson.loads(answer({"content": "Ulm."}))
    first = await client.responses.create(model="demo", input="Where?", instructions="Be brief.")
    second = await client.responses.create(
        model="demo", input="And why?", previous_response_id=first.id
    )

    assert (first.output_text, first.status, second.previous_response_id) == (
        "Ulm.",
        "completed",
        first.id,
    )
    assert vllm.paths == ["/v1/chat/completions"] * 2
    assert [message["content"] for message in vllm.requests[1]["messages"]] == [
        "Where?",
        "Ulm.",
        "And why?",
    ]


async def test_parse_and_tools(client: AsyncOpenAI, vllm: FakeVLLM) -> None:
    vllm.answer = orjson.loads(answer({"content": '{"name": "Ulm"}'}))
    parsed = await client.responses.parse(model="demo", input="Where?", text_format=City)
    assert parsed.output_parsed == City(name="Ulm")
    assert vllm.requests[0]["response_format"]["json_schema"]["name"] == "City"

    message = {"content": None, "tool_calls": [tool_call("weather", '{"city": "Ulm"}')]}
    vllm.answer = orjson.loads(answer(message, "tool_calls"))
    called = await client.responses.create(
        model="demo",
        input="Rain?",
        tools=[{"type": "function", "name": "weather", "parameters": {}, "strict": False}],
    )
    item = called.output[0]
    assert item.type == "function_call"
    assert (item.name, item.arguments) == ("weather", '{"city": "Ulm"}')

    result = {"type": "function_call_output", "call_id": item.call_id, "output": "dry"}
    await client.responses.create(
        model="demo",
        input=[result],  # type: ignore[list-item]
        previous_response_id=called.id,
    )
    roles = [message["role"] for message in vllm.requests[2]["messages"]]
    assert roles == ["user", "assistant", "tool"]


async def test_stream(client: AsyncOpenAI, vllm: FakeVLLM) -> None:
    vllm.script = list(TEXT_STREAM)
    async with client.responses.stream(model="demo", input="Hi") as stream:
        deltas = [e.delta async for e in stream if e.type == "response.output_text.delta"]
        final = await stream.get_final_response()
    assert deltas == ["Grüße", ", 世界"]
    assert final.output_text == "Grüße, 世界"
    assert vllm.requests[0]["stream_options"] == {"include_usage": True}

    vllm.script = list(TOOL_STREAM)
    async with client.responses.stream(model="demo", input="Hi") as stream:
        final = await stream.get_final_response()
    assert [item.type for item in final.output] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]


async def test_lost_streams_raise_or_fail(client: AsyncOpenAI, vllm: FakeVLLM) -> None:
    vllm.script = list(FAILED_STREAM)
    stream = await client.responses.create(model="demo", input="Hi", stream=True)
    events = [event async for event in stream]
    assert events[-1].type == "response.failed"

    vllm.script = [*TEXT_STREAM[:2], "die"]
    stream = await client.responses.create(model="demo", input="Hi", stream=True)
    with pytest.raises(openai.APIError, match=r"early|lost|connection|unavailable"):
        _ = [event async for event in stream]


async def test_refusals(client: AsyncOpenAI, vllm: FakeVLLM) -> None:
    refused = await client.responses.create(model="demo", input="an attack")
    assert refused.incomplete_details is not None
    assert refused.incomplete_details.reason == "content_filter"
    stream = await client.responses.create(model="demo", input="an attack", stream=True)
    types = [event.type async for event in stream]
    assert types[-1] == "response.incomplete"
    with pytest.raises(openai.NotFoundError):
        await client.responses.create(model="demo", input="go on", previous_response_id=refused.id)
    assert vllm.requests == []


async def test_refusal_as_an_error(vllm: FakeVLLM) -> None:
    async with (
        guarded(vllm, ResponsesProtocol(), refusal="error") as url,
        AsyncOpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client,
    ):
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="demo", input="an attack")
    assert (caught.value.code, caught.value.param) == ("content_filter", "input")


async def test_the_model_servers_errors_name_the_clients_field(
    client: AsyncOpenAI, vllm: FakeVLLM
) -> None:
    vllm.status = 400
    vllm.answer = {"error": {"message": "too long", "type": "BadRequestError", "param": "messages"}}
    with pytest.raises(openai.BadRequestError) as caught:
        await client.responses.create(model="demo", input="Hi")
    assert caught.value.param == "input"
