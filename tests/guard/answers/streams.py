"""Streams of answers for tests: what vLLM sends, and what a client makes of what it gets."""

from collections.abc import Iterable
from typing import Any

import orjson

from guard.wire.chat_stream import event_data

Said = dict[tuple[int, str], str]
"""By choice and place, what was said."""


def delta(index: int = 0, finish: str | None = None, **said: Any) -> bytes:
    """One streamed chat event of one choice."""
    choice = {"index": index, "delta": said, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "demo"}
    return b"data: " + orjson.dumps({**head, "choices": [choice]}) + b"\n\n"


def call(arguments: str, index: int = 0, **named: Any) -> bytes:
    """One streamed event of a tool call."""
    function = {"arguments": arguments, **named}
    return delta(tool_calls=[{"index": index, "function": function}])


def heard(stream: bytes) -> tuple[Said, dict[int, str]]:
    """What each choice said, and why it ended."""
    said: Said = {}
    ends: dict[int, str] = {}
    for data in event_data(stream):
        for choice in orjson.loads(data).get("choices", ()):
            index = choice["index"]
            for place, text in _texts(choice.get("delta", {"text": choice.get("text")})):
                said[index, place] = said.get((index, place), "") + text
            if choice["finish_reason"]:
                ends[index] = choice["finish_reason"]
    return said, ends


def _texts(said: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in said.items():
        if name == "tool_calls":
            for each in value:
                yield f"call {each['index']}", each["function"].get("arguments", "")
        elif name != "role" and value:
            yield name, value
