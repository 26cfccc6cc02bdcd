"""Whole chat answers into messages that the official types accept; errors; token counts."""

from typing import Any

import orjson
import pytest
from anthropic.types import Message, MessageTokensCount

from guard.terms.errors import RequestError, UpstreamError
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules
from guard.wire.messages import CountTokensProtocol, MessagesProtocol
from tests.guard.wire.transcripts import answer, tool_call

PROTOCOL = MessagesProtocol()
REQUEST: JsonObject = {
    "model": "demo",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
}


def translated(body: bytes) -> dict[str, Any]:
    call = PROTOCOL.parse(REQUEST, FieldRules(), None)
    message: dict[str, Any] = orjson.loads(PROTOCOL.translate(call, body))
    Message.model_validate(message)
    return message


def test_text_answer() -> None:
    message = translated(answer({"content": "Grüße"}))
    assert message.pop("id").startswith("msg_")
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": "demo",
        "content": [{"type": "text", "text": "Grüße"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 4},
    }


def test_blocks_in_order() -> None:
    calls = [tool_call("f", '{"a": 1}'), tool_call("g", "", "call-2")]
    message = translated(
        answer({"reasoning": "hm", "content": "hi", "tool_calls": calls}, "tool_calls")
    )
    thinking, text, *uses = message["content"]
    assert (thinking["type"], thinking["thinking"], text["text"]) == ("thinking", "hm", "hi")
    assert uses == [
        {"type": "tool_use", "id": "call-1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "call-2", "name": "g", "input": {}},
    ]
    assert message["stop_reason"] == "tool_use"


CALL = [tool_call("f", "{}")]
HALF = [tool_call("f", '{"a": ')]


@pytest.mark.parametrize(
    ("message", "finish", "stop", "expected"),
    [
        ({"content": "x"}, "stop", None, ("end_turn", None)),
        ({"content": "x"}, "stop", 128009, ("end_turn", None)),
        ({"content": "x"}, "stop", "END", ("stop_sequence", "END")),
        ({"content": "x"}, "length", None, ("max_tokens", None)),
        ({"content": "x"}, "repetition", None, ("end_turn", None)),
        ({"content": "x"}, "content_filter", None, ("refusal", None)),
        ({"content": None, "tool_calls": CALL}, "stop", None, ("tool_use", None)),
        ({"content": None, "tool_calls": CALL}, "tool_calls", "END", ("tool_use", None)),
        ({"content": None, "tool_calls": HALF}, "stop", "END", ("stop_sequence", "END")),
        ({"content": None, "tool_calls": HALF}, "length", None, ("max_tokens", None)),
    ],
)
def test_stop_reasons(
    message: dict[str, Any], finish: str, stop: str | int | None, expected: tuple[str, str | None]
) -> None:
    made = translated(answer(message, finish, stop_reason=stop))
    assert (made["stop_reason"], made["stop_sequence"]) == expected


def test_a_tool_call_that_was_cut_short_is_left_out() -> None:
    made = translated(answer({"content": "x", "tool_calls": HALF}, "length"))
    assert [block["type"] for block in made["content"]] == ["text"]


@pytest.mark.parametrize("arguments", ['{"a": ', "[1]", "3"])
def test_a_complete_tool_call_must_have_an_object_as_input(arguments: str) -> None:
    calls = [tool_call("f", arguments)]
    with pytest.raises(RequestError) as caught:
        translated(answer({"content": None, "tool_calls": calls}, "tool_calls"))
    assert (caught.value.status, caught.value.param) == (400, "content.0.input")


@pytest.mark.parametrize("arguments", ["null", "", "{}"])
def test_a_tool_call_without_arguments_has_an_empty_input(arguments: str) -> None:
    calls = [tool_call("f", arguments)]
    made = translated(answer({"content": None, "tool_calls": calls}, "tool_calls"))
    assert made["content"][0]["input"] == {}


def test_cached_tokens_are_counted_apart() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 6, "created_cache_tokens": 2},
    }
    assert translated(answer({"content": "x"}, usage=usage))["usage"] == {
        "input_tokens": 1,
        "output_tokens": 4,
        "cache_read_input_tokens": 6,
        "cache_creation_input_tokens": 2,
    }


def test_refusal() -> None:
    call = PROTOCOL.parse(REQUEST, FieldRules(), None)
    message = PROTOCOL.refusal(call, "No.")
    Message.model_validate(message)
    assert (message["stop_reason"], message["content"]) == (
        "refusal",
        [{"type": "text", "text": "No."}],
    )
    filtered: dict[str, Any] = PROTOCOL.filtered_body(call)
    assert filtered["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (408, "invalid_request_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (502, "api_error"),
        (503, "overloaded_error"),
        (504, "api_error"),
    ],
)
def test_errors_in_anthropics_envelope(status: int, kind: str) -> None:
    body = PROTOCOL.error_body(RequestError("not good", param="tools.0", status=status))
    assert body == {"type": "error", "error": {"type": kind, "message": "tools.0: not good"}}


def test_errors_do_not_name_the_field_twice() -> None:
    body: dict[str, Any] = PROTOCOL.error_body(RequestError("'system' is bad", param="system"))
    assert body["error"]["message"] == "'system' is bad"


def test_count() -> None:
    protocol = CountTokensProtocol()
    request: JsonObject = {"model": "demo", "messages": [{"role": "user", "content": "hi"}]}
    call = protocol.parse(request, FieldRules(), None)
    body = protocol.translate(call, b'{"count": 12, "max_model_len": 512, "tokens": [1]}')
    assert MessageTokensCount.model_validate_json(body).input_tokens == 12
    assert orjson.loads(body) == {"input_tokens": 12}
    assert protocol.event_translator(call) is None
    with pytest.raises(UpstreamError):
        protocol.translate(call, b'{"tokens": [1]}')
