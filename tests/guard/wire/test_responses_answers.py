"""Whole chat answers into Response objects that the official types accept."""

from typing import Any

import orjson
import pytest
from openai.types.responses import Response

from guard.terms.errors import RequestError, UpstreamError
from guard.terms.sampling_defaults import SamplingDefaults
from guard.wire.fields import FieldRules
from guard.wire.responses import ResponsesProtocol
from tests.guard.wire.transcripts import USAGE, answer, tool_call

PROMPT = int(USAGE["prompt_tokens"])
PROTOCOL = ResponsesProtocol()


def translated(body: bytes, **fields: Any) -> dict[str, Any]:
    request = {"model": "demo", "input": "hi", **fields}
    call = PROTOCOL.parse(request, FieldRules(), None)
    response: dict[str, Any] = orjson.loads(PROTOCOL.translate(call, body))
    Response.model_validate(response)
    return response


def test_text_answer() -> None:
    response = translated(answer({"content": "Grüße"}), metadata={"a": "b"}, temperature=0.5)

    assert response["object"] == "response"
    assert (response["status"], response["error"], response["incomplete_details"]) == (
        "completed",
        None,
        None,
    )
    assert (response["model"], response["metadata"], response["temperature"]) == (
        "demo",
        {"a": "b"},
        0.5,
    )
    item = response["output"][0]
    assert (item["type"], item["role"], item["status"]) == ("message", "assistant", "completed")
    assert item["content"] == [
        {"type": "output_text", "text": "Grüße", "annotations": [], "logprobs": None}
    ]


def test_items_in_order_with_their_own_ids() -> None:
    message = {"reasoning": "hm", "content": "hi", "tool_calls": [tool_call("f", "{}")]}
    output = translated(answer(message, "tool_calls"))["output"]

    assert [item["type"] for item in output] == ["reasoning", "message", "function_call"]
    assert output[0]["content"] == [{"type": "reasoning_text", "text": "hm"}]
    call = output[2]
    assert (call["call_id"], call["name"], call["arguments"]) == ("call-1", "f", "{}")
    assert len({item["id"] for item in output}) == 3


def test_usage() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    assert translated(answer({"content": "x"}, usage=usage))["usage"] == {
        "input_tokens": 9,
        "input_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": 13,
    }


def test_logprobs() -> None:
    top = {"token": "h", "logprob": -0.1, "bytes": None}
    logprobs = {"content": [{**top, "bytes": [104], "top_logprobs": [top]}]}
    output = translated(answer({"content": "h"}, logprobs=logprobs))["output"]
    assert output[0]["content"][0]["logprobs"] == [
        {"token": "h", "logprob": -0.1, "bytes": [104], "top_logprobs": [{**top, "bytes": []}]}
    ]


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("repetition", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_finish_reasons(finish: str, status: str, reason: str | None) -> None:
    response = translated(answer({"reasoning": "hm", "content": "x"}, finish))
    details = {"reason": reason} if reason else None
    assert (response["status"], response["incomplete_details"]) == (status, details)
    assert [item["status"] for item in response["output"]] == ["completed", "completed"]


def test_an_answer_without_a_word_has_no_item() -> None:
    assert translated(answer({"content": ""}, "length"))["output"] == []


@pytest.mark.parametrize(
    ("asked", "default", "context", "told"),
    [
        (None, None, None, None),
        (None, None, 512, 512 - PROMPT),
        (None, 64, 512, 64),
        (20, 64, 512, 20),
        (5000, None, 512, 512 - PROMPT),
        (20, None, None, 20),
    ],
)
def test_the_longest_answer_is_told(
    asked: int | None, default: int | None, context: int | None, told: int | None
) -> None:
    rules = FieldRules(sampling=SamplingDefaults(max_tokens=default), context_tokens=context)
    request: dict[str, Any] = {"model": "demo", "input": "hi", "max_output_tokens": asked}
    body = PROTOCOL.translate(PROTOCOL.parse(request, rules, None), answer({"content": "x"}))
    assert orjson.loads(body)["max_output_tokens"] == told


def test_unreadable_answer_is_an_upstream_error() -> None:
    with pytest.raises(UpstreamError):
        translated(b"oops")


def test_refusal_is_incomplete_and_says_so() -> None:
    call = PROTOCOL.parse({"model": "demo", "input": "hi"}, FieldRules(), None)
    response: dict[str, Any] = PROTOCOL.refusal(call, "No.")
    Response.model_validate(response)

    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "content_filter"}
    assert response["output"][0]["content"] == [{"type": "refusal", "refusal": "No."}]
    assert (response["usage"]["total_tokens"], response["store"]) == (0, False)
    assert PROTOCOL.filtered_body(call)["error"]["code"] == "content_filter"  # type: ignore[index]


@pytest.mark.parametrize(
    ("param", "expected"),
    [
        ("messages", "input"),
        ("messages.3.content", "input"),
        ("max_completion_tokens", "max_output_tokens"),
        ("response_format.json_schema", "text.format.json_schema"),
        ("reasoning_effort", "reasoning.effort"),
        ("temperature", "temperature"),
        (None, None),
    ],
)
def test_errors_name_the_clients_field(param: str | None, expected: str | None) -> None:
    body: dict[str, Any] = PROTOCOL.error_body(RequestError("no", param=param))
    assert body["error"]["param"] == expected
