"""What of an assistant's message is recognised, and what clients may change about it."""

import json
from typing import Any

import pytest

from guard.recognition.parts import call_part, evened_out, message_parts, text_part

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}


@pytest.mark.parametrize(
    ("written", "again"),
    [
        ('{"b": 1, "a": [1, 2]}', '{"a":[1,2],"b":1}'),
        ('{"a": "\\u00e9"}', '{"a": "é"}'),
        ('{"a": 1.0, "b": [1e3]}', '{"a": 1, "b": [1000]}'),
        ("", "{}"),
        ("null", "{}"),
        (' {"a": 1}\n', '{"a":1}'),
        ("no JSON ", "no JSON"),
    ],
)
def test_json_written_again_is_the_same(written: str, again: str) -> None:
    assert evened_out(written) == evened_out(again)


@pytest.mark.parametrize(
    ("written", "other"),
    [
        ('{"a": "x"}', '{"a": "x "}'),
        ('{"a": 1}', '{"a": "1"}'),
        ('{"a": 1}', '{"a": 2, "a": 1}'),  # a reader of text sees both
        ('{"a": 1.5}', '{"a": 1}'),
        ("[" * 3000, "[" * 2999),
        ('{"a": true}', '{"a": 1}'),
    ],
)
def test_other_json_is_another_text(written: str, other: str) -> None:
    assert evened_out(written) != evened_out(other)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ({"content": " Hello\n"}, {("content",): (text_part("Hello"),)}),
        (
            {"content": [{"type": "text", "text": "Hello"}, {"type": "refusal", "refusal": "No"}]},
            {("content", 0): (text_part("Hello"),), ("content", 1): None},
        ),
        ({"content": None, "tool_calls": []}, {("tool_calls",): ()}),
        (
            {"content": "", "tool_calls": [{**CALL, "index": 0}]},
            {
                ("content",): (text_part(""),),
                ("tool_calls",): (call_part("c1", "f", '{"a":1}'),),
            },
        ),
        ({"name": "Bob", "refusal": "No"}, {("name",): None, ("refusal",): None}),
        # What no answer of ours has is nobody's but the caller's.
        ({"tool_calls": [{**CALL, "note": "x"}]}, {("tool_calls",): None}),
        ({"tool_calls": [{**CALL, "type": "custom"}]}, {("tool_calls",): None}),
        ({"tool_calls": [{**CALL, "id": None}]}, {("tool_calls",): None}),
        (
            {"tool_calls": [{"id": "c1", "function": {**CALL["function"], "more": "x"}}]},  # type: ignore[dict-item]
            {("tool_calls",): None},
        ),
        ({"tool_calls": ["x"]}, {("tool_calls",): None}),
        ({"tool_calls": {"id": "c1"}}, {("tool_calls",): None}),
    ],
)
def test_a_message_s_fields_have_parts(message: dict[str, Any], found: dict[Any, Any]) -> None:
    made = message_parts({"role": "assistant", **message}, ("messages", 3))
    assert made == {("messages", 3, *path): parts for path, parts in found.items()}


def test_long_arguments_are_left_as_they_are() -> None:
    long = json.dumps({"b": "x" * (256 << 10), "a": 1})
    assert evened_out(f" {long} ") == long
