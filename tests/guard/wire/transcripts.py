"""Chat transcripts as vLLM streams them, written by hand and drawn at random."""

from typing import Any

import orjson
from hypothesis import strategies as st

DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13}


def sse(body: dict[str, Any]) -> bytes:
    """One upstream event."""
    return b"data: " + orjson.dumps(body) + b"\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **choice: Any) -> bytes:
    """One streamed chat chunk."""
    made = {"index": 0, "delta": delta or {}, "logprobs": None, "finish_reason": finish, **choice}
    return sse(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "demo"}
        | {"choices": [made]}
    )


def tool_delta(
    index: int, arguments: str = "", name: str | None = None, call_id: str | None = None
) -> dict[str, Any]:
    """A piece of a tool call; the first one has name and id."""
    function = {"arguments": arguments} | ({"name": name} if name else {})
    call = {"index": index, "function": function} | ({"id": call_id} if call_id else {})
    return {"tool_calls": [call]}


def ended(finish: str = "stop", **choice: Any) -> list[bytes]:
    """The last events of a complete stream."""
    return [chunk({}, finish, **choice), sse({"choices": [], "usage": USAGE}), DONE]


def answer(
    message: dict[str, Any],
    finish: str = "stop",
    usage: dict[str, Any] | None = None,
    **choice: Any,
) -> bytes:
    """A whole chat answer."""
    made = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "demo"}
    return orjson.dumps(body | {"choices": [made | choice], "usage": usage or USAGE})


def tool_call(name: str, arguments: str, call_id: str = "call-1") -> dict[str, Any]:
    """A tool call of a whole answer."""
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


TEXT_STREAM = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Grüße"}),
    chunk({"content": ", 世界"}),
    *ended(),
]
TOOL_STREAM = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning": "They ask "}),
    chunk({"reasoning": "for rain."}),
    chunk({"content": "Let me see."}),
    chunk(tool_delta(0, "", "weather", "call-a")),
    chunk(tool_delta(0, '{"city":')),
    chunk({"content": "\n"}),
    chunk(tool_delta(0, '"Ulm"}')),
    chunk(tool_delta(1, "{}", "clock", "call-b")),
    *ended("tool_calls"),
]
FAILED_STREAM = [
    chunk({"content": "Half an ans"}),
    sse({"error": {"message": "engine died on prompt_embeds", "type": "InternalServerError"}}),
    DONE,
]

_pieces = st.text(max_size=8)
_deltas = st.one_of(
    st.builds(lambda text: {"content": text}, _pieces),
    st.builds(lambda text: {"reasoning": text}, _pieces),
    st.builds(lambda text: {"reasoning_content": text}, _pieces),
)


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """Complete streams, some of which report an error on the way."""
    events = [chunk(delta) for delta in draw(st.lists(_deltas, max_size=6))]
    for index in range(draw(st.integers(0, 3))):
        events.append(chunk(tool_delta(index, "", f"tool{index}", f"call-{index}")))
        events += [chunk(tool_delta(index, piece)) for piece in draw(st.lists(_pieces, max_size=3))]
        events += [chunk({"content": text}) for text in draw(st.lists(_pieces, max_size=2))]
    if draw(st.booleans()):
        events.insert(draw(st.integers(0, len(events))), b": keep-alive\n\n")
    if draw(st.integers(0, 4)) == 0:
        events.insert(draw(st.integers(0, len(events))), sse({"error": {"message": "boom"}}))
    return events + ended(draw(st.sampled_from(["stop", "length", "tool_calls", "abort"])))


@st.composite
def grouped(draw: st.DrawFn, events: list[bytes]) -> list[bytes]:
    """The events of a stream, joined to groups in a random way."""
    groups = [b""]
    for event in events:
        if draw(st.booleans()):
            groups.append(b"")
        groups[-1] += event
    return groups


def client_events(raw: bytes) -> list[tuple[str, dict[str, Any]]]:
    """The client's events as (name, data); every event has both lines."""
    found = []
    for event in raw.decode().split("\n\n")[:-1]:
        name, data = event.split("\n")
        assert name.startswith("event: ")
        assert data.startswith("data: ")
        found.append((name[7:], orjson.loads(data[6:])))
    return found
