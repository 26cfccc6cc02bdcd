"""Responses streams: order of events, failures, independence of how the network cut them."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from guard.terms.errors import UpstreamError
from guard.wire.fields import FieldRules
from guard.wire.responses import ResponsesProtocol
from tests.guard.wire.transcripts import (
    DONE,
    FAILED_STREAM,
    TEXT_STREAM,
    TOOL_STREAM,
    chunk,
    client_events,
    ended,
    grouped,
    sse,
    streams,
    tool_delta,
)

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
TERMINAL = {"response.completed", "response.incomplete", "response.failed"}


def translated(
    groups: list[bytes], protocol: ResponsesProtocol | None = None
) -> list[tuple[str, dict[str, Any]]]:
    """The client's events, each checked: its type, its number, and the official types."""
    protocol = protocol or ResponsesProtocol()
    call = protocol.parse({"model": "demo", "input": "q", "stream": True}, FieldRules(), None)
    translator = protocol.event_translator(call)
    assert translator is not None
    raw = b"".join(translator.feed(group) for group in groups) + translator.finish()
    events = client_events(raw)
    for number, (name, data) in enumerate(events):
        assert (data["type"], data["sequence_number"]) == (name, number)
        EVENT.validate_python(data)
    return events


def test_text_stream() -> None:
    events = translated(TEXT_STREAM)
    assert [name.removeprefix("response.") for name, _ in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    response = Response.model_validate(events[-1][1]["response"])
    assert response.output_text == "Grüße, 世界"
    assert response.usage is not None
    assert response.usage.input_tokens == 9


def test_reasoning_text_and_tool_calls() -> None:
    events = translated(TOOL_STREAM)
    done = [data["item"] for name, data in events if name == "response.output_item.done"]
    assert [item["type"] for item in done] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    assert events[-1][1]["response"]["output"] == done
    arguments = [data for name, data in events if name.endswith("function_call_arguments.done")]
    assert [(each["name"], each["arguments"]) for each in arguments] == [
        ("weather", '{"city":"Ulm"}'),
        ("clock", "{}"),
    ]
    assert [data["delta"] for name, data in events if name.endswith("reasoning_text.delta")] == [
        "They ask ",
        "for rain.",
    ]


@pytest.mark.parametrize(
    ("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_cut_streams_end_incomplete(finish: str, reason: str) -> None:
    name, data = translated([chunk({"content": "a"}), *ended(finish)])[-1]
    assert name == "response.incomplete"
    assert data["response"]["incomplete_details"] == {"reason": reason}
    assert data["response"]["output"][0]["status"] == "completed"


def test_an_empty_stream_has_no_item_and_can_be_continued() -> None:
    protocol = ResponsesProtocol()
    events = translated([*ended()], protocol)
    assert [name for name, _ in events] == [
        "response.created",
        "response.in_progress",
        "response.completed",
    ]
    following = {"input": "go on", "previous_response_id": events[-1][1]["response"]["id"]}
    body: dict[str, Any] = protocol.parse({"model": "demo", **following}, FieldRules(), None).body
    assert [message["role"] for message in body["messages"]] == ["user", "user"]


def test_the_first_event_says_what_the_prompt_leaves_of_the_context() -> None:
    protocol, rules = ResponsesProtocol(), FieldRules(context_tokens=100)
    call = protocol.parse({"model": "demo", "input": "q", "stream": True}, rules, None)
    options = {"include_usage": True, "continuous_usage_stats": True}
    assert call.body["stream_options"] == options
    translator = protocol.event_translator(call)
    assert translator is not None
    first = sse({"choices": [{"index": 0, "delta": {}}], "usage": {"prompt_tokens": 30}})
    _, data = client_events(translator.feed(first))[0]
    assert data["response"]["max_output_tokens"] == 70


@pytest.mark.parametrize(
    "events",
    [
        FAILED_STREAM,
        [chunk({"content": "a"}), DONE],
        [chunk({"content": "a"}), *ended("abort")],
        [b"data: nonsense\n\n", *TEXT_STREAM],
        [DONE],
        [chunk(tool_delta(0, "{}")), *ended()],
    ],
)
def test_failures_are_told_and_nothing_follows_them(events: list[bytes]) -> None:
    protocol = ResponsesProtocol()
    made = translated(events, protocol)
    names = [name for name, _ in made]
    assert names[:2] == ["response.created", "response.in_progress"]
    assert names[-1] == "response.failed"
    assert [name for name in names if name in TERMINAL] == ["response.failed"]
    error = made[-1][1]["response"]["error"]
    assert error["code"] == "server_error"
    assert "prompt_embeds" not in error["message"]
    assert len(protocol.store) == 0


def test_complete_streams_are_stored() -> None:
    protocol = ResponsesProtocol()
    response = translated(TEXT_STREAM, protocol)[-1][1]["response"]
    assert protocol.store.get("", response["id"]) == response
    assert protocol.store.history("", response["id"]) == [
        {"role": "user", "content": "q"},
        {"role": "assistant", "content": "Grüße, 世界"},
    ]


def test_refusal_stream() -> None:
    protocol = ResponsesProtocol()
    call = protocol.parse({"model": "demo", "input": "q", "stream": True}, FieldRules(), None)
    events = client_events(b"".join(protocol.refusal_events(call, "No.")))
    for number, (name, data) in enumerate(events):
        assert (data["type"], data["sequence_number"]) == (name, number)
        EVENT.validate_python(data)
    assert events[-1][0] == "response.incomplete"
    assert events[-1][1]["response"]["output"][0]["content"][0]["refusal"] == "No."


def test_error_event_can_be_read_flat_and_nested() -> None:
    raw = ResponsesProtocol().error_event(UpstreamError("The model server ended its answer early"))
    ((name, data),) = client_events(raw)
    assert (name, data["type"], data["code"]) == ("error", "error", "upstream_unavailable")
    assert data["error"]["message"] == data["message"]
    EVENT.validate_python(data)


def canonical(events: list[tuple[str, dict[str, Any]]]) -> str:
    """The events without what differs from one stream to the next."""
    return re.sub(r"[0-9a-f]{32}|'(created|completed)_at': \d+", "*", str(events))


@given(st.data())
def test_grouping_of_upstream_events_changes_nothing(data: st.DataObject) -> None:
    events = data.draw(streams())
    expected = translated([b"".join(events)])
    assert canonical(translated(data.draw(grouped(events)))) == canonical(expected)
    assert len([name for name, _ in expected if name in TERMINAL]) == 1
    assert expected[-1][0] in TERMINAL
