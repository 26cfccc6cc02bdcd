"""Messages streams: order of events, failures, independence of how the network cut them."""

import re
from typing import Any

import orjson
import pytest
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from guard.terms.errors import UpstreamError
from guard.terms.json import JsonObject
from guard.wire.fields import FieldRules
from guard.wire.messages import MessagesProtocol
from tests.guard.wire.transcripts import (
    DONE,
    FAILED_STREAM,
    TEXT_STREAM,
    TOOL_STREAM,
    chunk,
    client_events,
    ended,
    grouped,
    streams,
    tool_delta,
)

EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
PROTOCOL = MessagesProtocol()
REQUEST: JsonObject = {
    "model": "demo",
    "max_tokens": 9,
    "stream": True,
    "messages": [{"role": "user", "content": "hi"}],
}


def translated(groups: list[bytes]) -> list[tuple[str, dict[str, Any]]]:
    """The client's events, each checked: its type, and the official types."""
    translator = PROTOCOL.event_translator(PROTOCOL.parse(REQUEST, FieldRules(), None))
    assert translator is not None
    raw = b"".join(translator.feed(group) for group in groups) + translator.finish()
    return checked(client_events(raw))


def checked(events: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, dict[str, Any]]]:
    for name, data in events:
        assert data["type"] == name
        if name != "error":
            EVENT.validate_python(data)
    return events


def test_text_stream() -> None:
    events = translated(TEXT_STREAM)
    assert [name for name, _ in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[-2][1] == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"input_tokens": 9, "output_tokens": 4},
    }


def test_the_first_chunks_usage_is_in_message_start() -> None:
    def counted(delta: dict[str, Any], tokens: int) -> bytes:
        usage = {"prompt_tokens": 7, "completion_tokens": tokens, "total_tokens": 7 + tokens}
        return chunk(delta).replace(b'"created":1', b'"usage":' + orjson.dumps(usage))

    first = counted({"role": "assistant", "content": ""}, 0)
    events = translated([first, counted({"content": "a"}, 1), *ended()])
    assert events[0][1]["message"]["usage"] == {"input_tokens": 7, "output_tokens": 0}


def test_message_start_is_sent_with_the_first_chunk() -> None:
    translator = PROTOCOL.event_translator(PROTOCOL.parse(REQUEST, FieldRules(), None))
    assert translator is not None

    assert translator.feed(chunk({"role": "assistant", "content": ""})).startswith(
        b"event: message_start"
    )


def test_thinking_text_and_tool_use() -> None:
    events = translated(TOOL_STREAM)
    starts = [data["content_block"] for name, data in events if name == "content_block_start"]
    assert [block["type"] for block in starts] == ["thinking", "text", "tool_use", "tool_use"]
    assert [(block["id"], block["name"]) for block in starts[2:]] == [
        ("call-a", "weather"),
        ("call-b", "clock"),
    ]
    deltas = [data["delta"] for name, data in events if name == "content_block_delta"]
    assert [delta["type"] for delta in deltas] == [
        "thinking_delta",
        "thinking_delta",
        "signature_delta",
        "text_delta",
        "input_json_delta",
        "input_json_delta",
        "input_json_delta",
    ]
    assert events[-2][1]["delta"]["stop_reason"] == "tool_use"


@pytest.mark.parametrize(
    ("events", "reason", "sequence"),
    [
        ([chunk({"content": "a"}), *ended("length")], "max_tokens", None),
        ([chunk({"content": "a"}), *ended(stop_reason="END")], "stop_sequence", "END"),
        ([chunk({"content": "a"}), *ended("content_filter")], "refusal", None),
        ([chunk(tool_delta(0, "{}", "f", "a")), *ended()], "tool_use", None),
        (ended(), "end_turn", None),
    ],
)
def test_stop_reasons(events: list[bytes], reason: str, sequence: str | None) -> None:
    delta = translated(events)[-2][1]["delta"]
    assert (delta["stop_reason"], delta["stop_sequence"]) == (reason, sequence)


@pytest.mark.parametrize(
    "events",
    [
        FAILED_STREAM,
        [chunk({"content": "a"}), DONE],
        [chunk({"content": "a"}), *ended("abort")],
        [b"data: nonsense\n\n", *TEXT_STREAM],
        [DONE],
    ],
)
def test_failures_are_told_and_nothing_follows_them(events: list[bytes]) -> None:
    made = translated(events)
    names = [name for name, _ in made]
    assert names[-1] == "error"
    assert not {"message_delta", "message_stop"} & set(names)
    assert made[-1][1]["error"]["type"] == "api_error"
    assert "prompt_embeds" not in made[-1][1]["error"]["message"]


def test_refusal_stream() -> None:
    call = PROTOCOL.parse(REQUEST, FieldRules(), None)
    events = checked(client_events(b"".join(PROTOCOL.refusal_events(call, "No."))))
    assert [name for name, _ in events] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[2][1]["delta"]["text"] == "No."
    assert events[-2][1]["delta"]["stop_reason"] == "refusal"


def test_error_event() -> None:
    ((name, data),) = client_events(PROTOCOL.error_event(UpstreamError("lost")))
    assert (name, data) == (
        "error",
        {"type": "error", "error": {"type": "api_error", "message": "lost"}},
    )


def canonical(events: list[tuple[str, dict[str, Any]]]) -> str:
    """The events without what differs from one stream to the next."""
    return re.sub(r"[0-9a-f]{32}", "*", str(events))


@given(st.data())
def test_grouping_of_upstream_events_changes_nothing(data: st.DataObject) -> None:
    events = data.draw(streams())
    expected = translated([b"".join(events)])
    assert canonical(translated(data.draw(grouped(events)))) == canonical(expected)
    assert expected[-1][0] in ("message_stop", "error")
    assert len([name for name, _ in expected if name in ("message_stop", "error")]) == 1
