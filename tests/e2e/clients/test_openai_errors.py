"""What the openai package raises: on a block in both forms, and on mistakes."""

from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.e2e.clients.requests import ENDLESS, QUESTION, Weather, asking
from tests.e2e.clients.service import BLOCKED, REFUSAL, Service

pytestmark = pytest.mark.vllm


def assert_filtered(error: openai.BadRequestError, param: str) -> None:
    assert (error.status_code, error.code, error.param) == (400, "content_filter", param)
    assert isinstance(error.body, dict)
    assert error.body["innererror"]["code"] == "ResponsibleAIPolicyViolation"
    assert error.request_id


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_chat_raises_before_the_first_byte(client: OpenAI, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="demo", messages=asking(BLOCKED), stream=stream)

    assert_filtered(caught.value, "messages")


@pytest.mark.parametrize("stream", [False, True])
def test_a_blocked_completion_raises(client: OpenAI, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.completions.create(model="demo", prompt=BLOCKED, stream=stream)

    assert_filtered(caught.value, "prompt")


async def test_the_async_client_raises_the_same(async_client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await async_client.chat.completions.create(model="demo", messages=asking(BLOCKED))

    assert_filtered(caught.value, "messages")


def test_a_refusal_as_a_message(polite: OpenAI) -> None:
    answer = polite.chat.completions.create(model="demo", messages=asking(BLOCKED), n=2)

    assert [choice.finish_reason for choice in answer.choices] == ["content_filter"] * 2
    assert answer.choices[0].message.content == REFUSAL
    assert answer.choices[0].message.refusal == REFUSAL
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0


def test_a_refusal_as_a_stream(polite: OpenAI) -> None:
    chunks = list(
        polite.chat.completions.create(
            model="demo",
            messages=asking(BLOCKED),
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    assert "".join(choice.delta.content or "" for choice in choices) == REFUSAL
    assert choices[-1].finish_reason == "content_filter"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 0


def test_a_refused_completion(polite: OpenAI) -> None:
    whole = polite.completions.create(model="demo", prompt=BLOCKED)
    stream = list(polite.completions.create(model="demo", prompt=BLOCKED, stream=True))

    assert (whole.choices[0].text, whole.choices[0].finish_reason) == (REFUSAL, "content_filter")
    assert "".join(chunk.choices[0].text for chunk in stream) == REFUSAL


def test_helpers_raise_where_a_refusal_has_nothing_to_parse(polite: OpenAI) -> None:
    with pytest.raises(openai.ContentFilterFinishReasonError):
        polite.chat.completions.parse(
            model="demo", messages=asking(BLOCKED), response_format=Weather
        )
    with (
        pytest.raises(openai.ContentFilterFinishReasonError),
        polite.chat.completions.stream(
            model="demo", messages=asking(BLOCKED), response_format=Weather
        ) as stream,
    ):
        stream.until_done()


def test_a_wrong_key(proxy: Service) -> None:
    with (
        OpenAI(base_url=proxy.url, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError) as caught,
    ):
        client.models.list()
    with (
        OpenAI(base_url=proxy.url, api_key="wrong", max_retries=0) as client,
        pytest.raises(openai.AuthenticationError),
    ):
        client.chat.completions.create(model="demo", messages=asking(QUESTION))

    assert (caught.value.status_code, caught.value.code) == (401, "invalid_api_key")


def test_an_unknown_model(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="nobody", messages=asking(QUESTION))

    error = caught.value
    assert (error.status_code, error.code, error.param) == (404, "model_not_found", "model")


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_is_too_long(client: OpenAI, stream: bool) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="demo", messages=asking(ENDLESS), stream=stream)

    assert (caught.value.status_code, caught.value.code) == (400, "context_length_exceeded")
    assert "maximum context length" in caught.value.message


def test_an_unknown_field_is_dropped_and_named(client: OpenAI) -> None:
    extra: dict[str, Any] = {"guardrails": []}
    answer = client.chat.completions.with_raw_response.create(
        model="demo", messages=asking(QUESTION), max_tokens=2, extra_body=extra
    )

    assert answer.headers["x-ecoguard-dropped-fields"] == "guardrails"
