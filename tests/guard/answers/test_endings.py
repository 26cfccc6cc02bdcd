"""Endings in vLLM's form."""

from dataclasses import replace

import orjson

from guard.answers.endings import last_chunk, stream_end, without_text
from tests.guard.answers.judging import chat_call

COMPLETION = replace(chat_call(), upstream_path="/v1/completions")


def test_a_text_completion_ends_in_its_own_form() -> None:
    chunk = orjson.loads(last_chunk(COMPLETION, {"id": "c"}, 1, "No.")[6:])
    choice = {"index": 1, "logprobs": None, "finish_reason": "content_filter", "text": "No."}

    assert chunk == {"id": "c", "choices": [choice]}
    assert without_text(COMPLETION, {"index": 1, "text": "bad"}, "No.") == choice


def test_a_chat_says_nothing_where_there_is_nothing_to_say() -> None:
    chunk = orjson.loads(last_chunk(chat_call(), {}, 0, "")[6:])

    assert chunk["choices"][0]["delta"] == {}
    first = orjson.loads(last_chunk(chat_call(), {}, 0, "", is_first=True)[6:])
    assert first["choices"][0]["delta"] == {"role": "assistant"}


def test_usage_is_told_where_it_is_known() -> None:
    call = chat_call(stream_options={"include_usage": True})

    assert b"usage" in stream_end(call, {}, {"total_tokens": 1})
    assert stream_end(call, {}, None) == stream_end(chat_call(), {}, {"total_tokens": 1})
