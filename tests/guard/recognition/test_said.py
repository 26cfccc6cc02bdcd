"""What an answer says, whole and in pieces."""

import json
from typing import Any

import pytest

from guard.recognition.parts import Part, call_part, reasoning_part, text_part
from guard.recognition.said import AnswerReader


def streamed(*deltas: dict[str, Any]) -> set[Part]:
    reader = AnswerReader()
    for delta in deltas:
        chunk = {"choices": [{"index": delta.pop("choice", 0), "delta": delta}]}
        reader.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    reader.feed(b"data: [DONE]\n\n")
    return set(reader.parts())


def call(index: int, arguments: str, **more: str) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": more["name"]} if "name" in more else {})}
    piece: dict[str, Any] = {"index": index, "function": function}
    if "id" in more:
        piece["id"] = more["id"]
    return {"tool_calls": [piece]}


def test_pieces_are_put_together() -> None:
    assert streamed(
        {"role": "assistant", "content": ""},
        {"reasoning": "Let me "},
        {"reasoning": "see."},
        {"content": "Hel"},
        {"content": "lo \n"},
        call(0, "", id="c1", name="f"),
        call(0, '{"a"'),
        call(0, ": 1}"),
        call(1, "{}", id="c2", name="g"),
    ) == {
        reasoning_part("Let me see."),
        text_part("Hello"),
        call_part("c1", "f", '{"a":1}'),
        call_part("c2", "g", "{}"),
    }


def test_stretches_count_each_by_itself_and_together() -> None:
    assert streamed({"content": "One."}, call(0, "{}", id="c", name="f"), {"content": "Two."}) == {
        text_part("One."),
        text_part("Two."),
        text_part("One.Two."),
        call_part("c", "f", "{}"),
    }


def test_every_choice_is_an_answer_of_its_own() -> None:
    said = streamed({"content": "a"}, {"content": "b", "choice": 1}, {"content": "c"})
    assert said == {text_part("ac"), text_part("b")}


def test_a_whole_answer() -> None:
    reader = AnswerReader()
    message = {"content": "Hi", "reasoning_content": "Hm", "tool_calls": None}
    reader.whole(json.dumps({"choices": [{"message": message}]}).encode())
    assert set(reader.parts()) == {text_part("Hi"), reasoning_part("Hm")}


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b'{"choices": 3}',
        b'{"choices": [3]}',
        b'{"choices": [{"message": 3}]}',
        b'{"choices": [{"message": {"content": 3}}]}',
        b'{"choices": [{"message": {"tool_calls": [3]}}]}',
        b'{"choices": [{"message": {"tool_calls": [{"function": {"arguments": 3}}]}}]}',
        b'{"error": {"message": "no"}}',
    ],
)
def test_what_is_no_answer_says_nothing(body: bytes) -> None:
    reader = AnswerReader()
    reader.whole(body)
    assert not reader.parts()


def test_an_answer_without_end_is_not_remembered() -> None:
    reader = AnswerReader()
    piece = {"choices": [{"delta": {"content": "x" * (1 << 20)}}]}
    for _ in range(6):
        reader.feed(b"data: " + json.dumps(piece).encode() + b"\n\n")
    assert not reader.parts()


@pytest.mark.parametrize(
    "text", ['said "delta":{}', "a\\", '\\"},{"index":0,"delta":{"content":"x"}', "\n\ndata: x"]
)
@pytest.mark.parametrize("plain", [True, False])
def test_text_is_found_in_whatever_stands_around_it(text: str, plain: bool) -> None:
    """In events as vLLM writes them, and in others."""
    choices = [{"index": 0, "delta": {"role": "assistant", "content": ""}}]
    choices += [{"index": 0, "delta": {"content": part}} for part in (text, " and ", text)]
    choices.append({"index": 0, "delta": {}})
    separators = (",", ":") if plain else (", ", ": ")
    reader = AnswerReader()
    for choice in choices:
        chunk = json.dumps({"choices": [choice]}, separators=separators)
        reader.feed(b"data: " + chunk.encode() + b"\n\n")
    assert reader.parts() == (text_part(f"{text} and {text}"),)
