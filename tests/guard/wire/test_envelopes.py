"""Refusals and the model server's errors, in OpenAI's form."""

from typing import Any

import orjson
import pytest

from guard.terms.item import Call
from guard.wire.envelopes import DONE, filtered_body, read_error, refusal_events

TOO_LONG = "This model's maximum context length is 8 tokens."


def error(**members: Any) -> bytes:
    return orjson.dumps({"error": {"message": "no", "type": "BadRequestError", **members}})


def chat(**body: Any) -> Call:
    return Call("chat", "/v1/chat/completions", body, "demo", stream=True, items=())


def test_a_filtered_prompt_has_the_words_by_which_clients_know_it() -> None:
    body: Any = filtered_body("messages")["error"]

    assert (body["code"], body["innererror"]["code"]) == (
        "content_filter",
        "ResponsibleAIPolicyViolation",
    )
    assert body["type"] == "invalid_request_error"
    assert body["innererror"]["reason"] == "content_policy_violation"
    assert "content filtering policy" in body["message"]


@pytest.mark.parametrize("param", ["input_tokens", "input_text"])
def test_a_prompt_too_long_for_the_model_is_told_in_openais_word(param: str) -> None:
    message = f"{TOO_LONG} (parameter={param}, value=9)"
    read = read_error(error(message=message, param=param), 400)

    assert (read.code, read.message, read.param) == ("context_length_exceeded", TOO_LONG, None)


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        (error(param="max_tokens"), "max_tokens", "no"),
        (error(param=["input_tokens"]), None, "no"),
        (b"not json", None, "The model server refused the request"),
    ],
)
def test_other_errors_keep_their_field(body: bytes, param: str | None, message: str) -> None:
    read = read_error(body, 400)

    assert (read.code, read.param, read.message) == ("invalid_request", param, message)


def test_a_streamed_refusal_reports_usage_where_it_is_asked_for() -> None:
    plain = refusal_events(chat(), "No.")
    asked = refusal_events(chat(stream_options={"include_usage": True}), "No.")

    assert (len(plain), len(asked), asked[-1]) == (3, 4, DONE)
    usage = orjson.loads(asked[2].removeprefix(b"data: "))
    assert usage["choices"] == []
    assert usage["usage"]["total_tokens"] == 0
