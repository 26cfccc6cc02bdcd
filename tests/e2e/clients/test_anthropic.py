"""The anthropic package on `/v1/messages`."""

from collections.abc import AsyncIterator, Iterator

import anthropic
import pytest
from anthropic import Anthropic, AsyncAnthropic
from anthropic.types import MessageParam, ToolParam

from tests.e2e.clients.requests import CALL_TOKENS, ENDLESS, QUESTION, Weather
from tests.e2e.clients.service import BLOCKED, REFUSAL, Service

pytestmark = pytest.mark.vllm

TOOL: ToolParam = {
    "name": "weather",
    "input_schema": {**Weather.model_json_schema(), "additionalProperties": False},
    "strict": True,
}


def asking(text: str) -> list[MessageParam]:
    return [{"role": "user", "content": text}]


@pytest.fixture
def client(proxy: Service) -> Iterator[Anthropic]:
    with Anthropic(base_url=proxy.root, api_key=proxy.key, max_retries=0) as made:
        yield made


@pytest.fixture
async def async_client(proxy: Service) -> AsyncIterator[AsyncAnthropic]:
    async with AsyncAnthropic(base_url=proxy.root, api_key=proxy.key, max_retries=0) as made:
        yield made


@pytest.fixture
def polite(polite_proxy: Service) -> Iterator[Anthropic]:
    with Anthropic(base_url=polite_proxy.root, api_key=polite_proxy.key, max_retries=0) as made:
        yield made


def test_an_answer_and_its_token_count(client: Anthropic) -> None:
    message = client.messages.create(
        model="demo",
        system="Be brief.",
        messages=asking(QUESTION),
        max_tokens=8,
        extra_body={"temperature": 0},
    )
    counted = client.messages.count_tokens(
        model="demo", system="Be brief.", messages=asking(QUESTION)
    )

    assert (message.type, message.role, message.model) == ("message", "assistant", "demo")
    assert message.content[0].type == "text"
    assert message.content[0].text
    assert message.stop_reason in ("end_turn", "max_tokens")
    assert message.usage.input_tokens == counted.input_tokens
    assert message._request_id


def test_a_stream_says_the_same(client: Anthropic) -> None:
    whole = client.messages.create(
        model="demo", messages=asking(QUESTION), max_tokens=8, extra_body={"temperature": 0}
    )
    with client.messages.stream(
        model="demo", messages=asking(QUESTION), max_tokens=8, extra_body={"temperature": 0}
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()

    assert whole.content[0].type == "text"
    assert text == whole.content[0].text
    assert (final.stop_reason, final.usage.output_tokens) == (
        whole.stop_reason,
        whole.usage.output_tokens,
    )


def test_a_tool(client: Anthropic) -> None:
    message = client.messages.create(
        model="demo",
        messages=asking(QUESTION),
        tools=[TOOL],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        max_tokens=CALL_TOKENS,
        extra_body={"temperature": 0},
    )
    (call,) = (block for block in message.content if block.type == "tool_use")
    assert message.stop_reason == "tool_use"
    assert Weather.model_validate(call.input)

    told: list[MessageParam] = [
        *asking(QUESTION),
        {"role": "assistant", "content": message.content},
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "dry"}],
        },
    ]
    reply = client.messages.create(model="demo", messages=told, max_tokens=4)
    assert reply.content[0].type == "text"


def test_a_streamed_tool_call_is_put_together(client: Anthropic) -> None:
    with client.messages.stream(
        model="demo",
        messages=asking(QUESTION),
        tools=[TOOL],
        tool_choice={"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
        max_tokens=CALL_TOKENS,
        extra_body={"temperature": 0},
    ) as stream:
        final = stream.get_final_message()

    (call,) = (block for block in final.content if block.type == "tool_use")
    assert Weather.model_validate(call.input)


def test_structured_output_is_parsed(client: Anthropic) -> None:
    message = client.messages.parse(
        model="demo", messages=asking(QUESTION), max_tokens=CALL_TOKENS, output_format=Weather
    )

    assert isinstance(message.parsed_output, Weather)


async def test_the_async_client(async_client: AsyncAnthropic) -> None:
    async with async_client.messages.stream(
        model="demo", messages=asking(QUESTION), max_tokens=12
    ) as stream:
        pieces = [piece async for piece in stream.text_stream]

    assert pieces
    with pytest.raises(anthropic.BadRequestError):
        await async_client.messages.create(model="demo", messages=asking(BLOCKED), max_tokens=4)


@pytest.mark.parametrize("stream", [False, True])
def test_a_block_raises(client: Anthropic, stream: bool) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(model="demo", messages=asking(BLOCKED), max_tokens=4, stream=stream)

    error = caught.value
    assert (error.status_code, error.type) == (400, "invalid_request_error")
    assert "content filtering policy" in error.message
    assert error.request_id


def test_a_refusal_as_a_message(polite: Anthropic) -> None:
    message = polite.messages.create(model="demo", messages=asking(BLOCKED), max_tokens=4)
    with polite.messages.stream(model="demo", messages=asking(BLOCKED), max_tokens=4) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()

    assert message.content[0].type == "text"
    assert (message.content[0].text, message.stop_reason) == (REFUSAL, "refusal")
    assert (text, final.stop_reason) == (REFUSAL, "refusal")


def test_mistakes(client: Anthropic) -> None:
    with pytest.raises(anthropic.AuthenticationError) as wrong_key:
        client.with_options(api_key="wrong").messages.create(
            model="demo", messages=asking(QUESTION), max_tokens=4
        )
    with pytest.raises(anthropic.NotFoundError) as unknown:
        client.messages.create(model="nobody", messages=asking(QUESTION), max_tokens=4)
    with pytest.raises(anthropic.BadRequestError) as too_long:
        client.messages.create(model="demo", messages=asking(ENDLESS), max_tokens=4)

    assert wrong_key.value.type == "authentication_error"
    assert unknown.value.type == "not_found_error"
    assert "maximum context length" in too_long.value.message
