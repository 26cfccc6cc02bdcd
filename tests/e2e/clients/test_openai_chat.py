"""The openai package on `/v1/chat/completions`, `/v1/completions` and `/v1/models`."""

from collections.abc import Iterator

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageParam

from classifiers.model_server.vllm import VllmServer
from tests.e2e.clients.requests import CALL_TOKENS, QUESTION, Weather, asking

pytestmark = pytest.mark.vllm

TOOL = openai.pydantic_function_tool(Weather, name="weather")


@pytest.fixture
def direct(vllm: VllmServer) -> Iterator[OpenAI]:
    """The same client without EcoGuard."""
    with OpenAI(base_url=f"{vllm.url}/v1", api_key="none", max_retries=0) as made:
        yield made


def test_an_answer_is_vllms_own(client: OpenAI, direct: OpenAI) -> None:
    answer, expected = (
        one.chat.completions.create(
            model="demo",
            messages=asking(QUESTION),
            max_tokens=12,
            temperature=0,
            logprobs=True,
            top_logprobs=2,
        )
        for one in (client, direct)
    )

    assert answer.choices[0].message.content
    assert answer.choices[0].message == expected.choices[0].message
    assert answer.usage == expected.usage
    assert (answer.object, answer.model) == ("chat.completion", "demo")
    assert answer._request_id
    found, wanted = answer.choices[0].logprobs, expected.choices[0].logprobs
    assert found is not None
    assert wanted is not None
    assert found.content
    assert wanted.content
    assert [token.token for token in found.content] == [token.token for token in wanted.content]
    assert [token.logprob for token in found.content] == pytest.approx(
        [token.logprob for token in wanted.content], abs=1e-3
    )
    assert {len(token.top_logprobs) for token in found.content} == {2}


def test_a_stream_says_the_same_and_reports_usage(client: OpenAI) -> None:
    whole = client.chat.completions.create(
        model="demo", messages=asking(QUESTION), max_tokens=12, temperature=0
    )
    stream = client.chat.completions.create(
        model="demo",
        messages=asking(QUESTION),
        max_tokens=12,
        temperature=0,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)

    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert choices[0].delta.role == "assistant"
    assert "".join(choice.delta.content or "" for choice in choices) == (
        whole.choices[0].message.content
    )
    assert choices[-1].finish_reason == whole.choices[0].finish_reason
    assert chunks[-1].usage == whole.usage
    assert len(chunks) > 4


def test_several_choices(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="demo", messages=asking(QUESTION), max_tokens=4, n=3, temperature=1, seed=1
    )

    assert [choice.index for choice in answer.choices] == [0, 1, 2]


def test_a_tool_is_called_and_its_result_answered(client: OpenAI) -> None:
    answer = client.chat.completions.create(
        model="demo",
        messages=asking(QUESTION),
        tools=[TOOL],
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=CALL_TOKENS,
        temperature=0,
    )
    message = answer.choices[0].message
    assert answer.choices[0].finish_reason == "tool_calls"
    assert message.tool_calls
    (call,) = message.tool_calls
    assert call.type == "function"
    assert call.function.name == "weather"
    assert Weather.model_validate_json(call.function.arguments)

    told: list[ChatCompletionMessageParam] = [
        *asking(QUESTION),
        {
            "role": "assistant",
            "tool_calls": [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": "weather", "arguments": call.function.arguments},
                }
            ],
        },
        {"role": "tool", "tool_call_id": call.id, "content": "dry"},
    ]
    reply = client.chat.completions.create(
        model="demo", messages=told, tools=[TOOL], tool_choice="none", max_tokens=4
    )
    assert reply.choices[0].message.tool_calls is None


def test_a_streamed_tool_call_is_put_together(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model="demo",
        messages=asking(QUESTION),
        tools=[TOOL],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        parallel_tool_calls=False,
        max_tokens=CALL_TOKENS,
        temperature=0,
    ) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()

    assert {"chunk", "tool_calls.function.arguments.done"} <= kinds
    assert final.choices[0].message.tool_calls
    (call,) = final.choices[0].message.tool_calls
    assert isinstance(call.function.parsed_arguments, Weather)


def test_structured_output_is_parsed(client: OpenAI) -> None:
    answer = client.chat.completions.parse(
        model="demo", messages=asking(QUESTION), response_format=Weather, max_tokens=CALL_TOKENS
    )

    assert isinstance(answer.choices[0].message.parsed, Weather)


def test_completions_whole_and_streamed(client: OpenAI) -> None:
    whole = client.completions.create(
        model="demo", prompt=QUESTION, max_tokens=8, temperature=0, logprobs=1
    )
    stream = client.completions.create(
        model="demo", prompt=QUESTION, max_tokens=8, temperature=0, stream=True
    )

    assert whole.object == "text_completion"
    assert whole.choices[0].logprobs is not None
    assert whole.choices[0].logprobs.token_logprobs
    assert "".join(chunk.choices[0].text for chunk in stream) == whole.choices[0].text


def test_models(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["demo"]


async def test_the_async_client(async_client: AsyncOpenAI) -> None:
    whole = await async_client.chat.completions.create(
        model="demo", messages=asking(QUESTION), max_tokens=8, temperature=0
    )
    async with async_client.chat.completions.stream(
        model="demo", messages=asking(QUESTION), max_tokens=8, temperature=0
    ) as stream:
        pieces = [event.delta async for event in stream if event.type == "content.delta"]

    assert "".join(pieces) == whole.choices[0].message.content
    assert [model.id async for model in async_client.models.list()] == ["demo"]


async def test_the_async_client_may_leave_a_stream(async_client: AsyncOpenAI) -> None:
    stream = await async_client.chat.completions.create(
        model="demo", messages=asking(QUESTION), max_tokens=200, stream=True
    )
    async for _ in stream:
        break
    await stream.close()

    assert await async_client.models.list()
