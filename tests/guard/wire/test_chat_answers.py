"""vLLM's whole answers as blocks."""

import pytest

from guard.terms.errors import UpstreamError
from guard.wire.chat_answers import Kind, read_answer
from tests.guard.wire.transcripts import answer, tool_call


def test_blocks_come_in_order() -> None:
    calls = [tool_call("f", '{"a": 1}'), tool_call("g", "", "call-2")]
    message = {"reasoning": "hm", "content": "text", "tool_calls": calls}
    blocks = read_answer(answer(message, "tool_calls")).blocks

    assert [(block.kind, block.index, block.text) for block in blocks] == [
        (Kind.REASONING, 0, "hm"),
        (Kind.TEXT, 1, "text"),
        (Kind.TOOL_CALL, 2, '{"a": 1}'),
        (Kind.TOOL_CALL, 3, ""),
    ]
    assert [(block.call_id, block.name) for block in blocks[2:]] == [
        ("call-1", "f"),
        ("call-2", "g"),
    ]


def test_older_servers_call_reasoning_reasoning_content() -> None:
    read = read_answer(answer({"reasoning_content": "hm", "content": None}))
    assert [(block.kind, block.text) for block in read.blocks] == [(Kind.REASONING, "hm")]


def test_an_empty_answer_is_an_empty_text() -> None:
    read = read_answer(answer({"content": None, "tool_calls": None}))
    assert [(block.kind, block.text) for block in read.blocks] == [(Kind.TEXT, "")]


@pytest.mark.parametrize(("reason", "sequence"), [("END", "END"), (128009, None), (None, None)])
def test_stop_strings_are_told_from_stop_tokens(
    reason: str | int | None, sequence: str | None
) -> None:
    assert read_answer(answer({"content": "x"}, stop_reason=reason)).stop_sequence == sequence


def test_usage_details() -> None:
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "prompt_tokens_details": {"cached_tokens": 6, "created_cache_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    read = read_answer(answer({"content": "x"}, usage=usage)).usage
    assert (read.prompt_tokens, read.output_tokens) == (9, 4)
    assert (read.cached_tokens, read.cache_write_tokens, read.reasoning_tokens) == (6, 2, 3)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"error": {"message": "secret"}}',
        b'{"choices": []}',
        answer({"content": "x"}, "abort"),
        answer({"content": "x"}, "error"),
        answer({"content": None, "tool_calls": [{"function": {}}]}),
    ],
)
def test_unreadable_answers_are_upstream_errors_that_quote_nothing(body: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        read_answer(body)
    assert caught.value.status == 502
    assert "secret" not in caught.value.message
    assert caught.value.__cause__ is None
