"""Texts of an answer: all of them are found, in events and in bodies."""

from typing import Any

import pytest

from guard.answers.texts import GrowingText, answer_item, readable, said


@pytest.mark.parametrize(
    ("choice", "texts"),
    [
        ({"text": "a", "index": 0}, {("text",): "a"}),
        ({"delta": {"role": "assistant", "content": ""}}, {}),
        ({"delta": {"content": None}, "finish_reason": "stop"}, {}),
        ({"message": {"content": "a", "refusal": "b"}}, {("content",): "a", ("refusal",): "b"}),
        ({"delta": {"reasoning": "a"}}, {("reasoning",): "a"}),
        ({"delta": {"some_new_field": "a"}}, {("some_new_field",): "a"}),
        ({"delta": "not even an object"}, {(): "not even an object"}),
        (
            {"delta": {"tool_calls": [{"index": 3, "id": "c", "function": {"arguments": "{"}}]}},
            {("tool_calls", 3, "function", "arguments"): "{"},
        ),
        (
            {"message": {"tool_calls": [{"type": "function", "function": {"name": "f"}}]}},
            {("tool_calls", 0, "function", "name"): "f"},
        ),
    ],
)
def test_every_text_is_found(choice: dict[str, Any], texts: dict[Any, str]) -> None:
    assert dict(said(choice)) == texts


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("plain", "plain"),
        ('{"a": "\\u0062c"}', "a\nbc"),
        ('{"a": 1, "b', '{"a": 1, "b'),
        ("[]", "[]"),
        ("", ""),
    ],
)
def test_json_is_judged_without_its_escapes(text: str, seen: str) -> None:
    assert readable(text) == seen


def test_an_item_names_its_place_and_its_author() -> None:
    item = answer_item(1, ("content",), "a")

    assert (item.param, item.author, item.side) == ("choices.1.content", "assistant", "answer")


def test_a_growing_text_forgets_what_nobody_needs() -> None:
    text = GrowingText()
    for piece in ("abc", "def", "ghi"):
        text.add(piece)
    text.judged = 6
    text.forget(4)

    assert (text.between(4, 6), text.between(0, 9), text.unjudged) == ("ef", "efghi", "ghi")
    assert text.ends_with("i")
