"""What a model's answer says, read beside the relay: whole or streamed, any number of choices.

A client may be handed the answer in another protocol's form, in blocks; what comes back as history
is the text of a block, or of all blocks together. Both are kept.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from guard.recognition.parts import Part, call_part, reasoning_part, says_something, text_part
from guard.wire.chat_stream import event_data
from guard.wire.envelopes import DONE

HELD_BYTES = 16 << 10
"""Events are read together once there are so many bytes of them: one by one each would take three
times as long, in the way of its client."""
MOST_CHARACTERS = 4 << 20
"""Of one answer; what is longer is not remembered."""


@dataclass(slots=True)
class _Call:
    call_id: str
    name: str
    arguments: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Choice:
    """One choice, in stretches of text and of reasoning, as the protocols' blocks are cut."""

    texts: list[list[str]] = field(default_factory=list)
    thoughts: list[list[str]] = field(default_factory=list)
    calls: list[_Call] = field(default_factory=list)
    open_calls: dict[int, _Call] = field(default_factory=dict)
    last: str = ""

    def add(self, message: dict[str, Any]) -> int:
        """Take a message, or a piece of one; returns the characters in it."""
        read = 0
        if piece := message.get("reasoning") or message.get("reasoning_content"):
            read += self._grow(self.thoughts, "reasoning", piece)
        if piece := message.get("content"):
            read += self._grow(self.texts, "text", piece)
        if calls := message.get("tool_calls"):
            read += sum(self._call(call, position) for position, call in enumerate(calls))
        return read

    def _grow(self, stretches: list[list[str]], kind: str, piece: object) -> int:
        if not isinstance(piece, str):
            raise TypeError
        if self.last != kind:
            stretches.append([])
            self.last = kind
        stretches[-1].append(piece)
        return len(piece)

    def _call(self, call: dict[str, Any], position: int) -> int:
        function = call.get("function") or {}
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            raise TypeError
        index = call.get("index")
        place = position if index is None else index
        known = self.open_calls.get(place)
        name, call_id = function.get("name"), call.get("id")
        if known is None or (name and call_id and call_id != known.call_id):
            known = _Call(str(call_id or ""), str(name or ""))
            self.open_calls[place] = known
            self.calls.append(known)
            self.last = "call"
        known.arguments.append(arguments)
        return len(arguments)

    def parts(self) -> Iterator[Part]:
        for make, stretches in ((text_part, self.texts), (reasoning_part, self.thoughts)):
            for pieces in stretches:
                yield make("".join(pieces))
            if len(stretches) > 1:
                yield make("".join(piece for pieces in stretches for piece in pieces))
        blocks = len(self.texts) + len(self.thoughts)
        for place, call in enumerate(self.calls):
            arguments = "".join(call.arguments)
            # Protocols that need an id give a call without one its place among the blocks.
            places = range(place, place + blocks + 1)
            for call_id in [call.call_id] if call.call_id else [f"call_{n}" for n in places]:
                yield call_part(call_id, call.name, arguments)


class AnswerReader:
    """Reads one answer of vLLM's chat route; what it cannot read it leaves out, and never fails."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self._characters = 0
        self._held: list[bytes] = []
        self._held_bytes = 0

    def feed(self, events: bytes) -> None:
        """Complete events of a stream."""
        self._held.append(events)
        self._held_bytes += len(events)
        if self._held_bytes >= HELD_BYTES:
            self._read_held()

    def whole(self, body: bytes) -> None:
        """An answer that came as a whole."""
        try:
            self._take(orjson.loads(body), "message")
        except ValueError:
            return  # no answer: the relay says so, here nothing is remembered

    def parts(self) -> tuple[Part, ...]:
        """What it says so far, each part once; nothing of an answer that is too long."""
        self._read_held()
        if self._characters > MOST_CHARACTERS:
            return ()
        found = (part for choice in self._choices.values() for part in choice.parts())
        return tuple(dict.fromkeys(filter(says_something, found)))

    def _read_held(self) -> None:
        held = b"".join(self._held)
        self._held, self._held_bytes = [], 0
        if self._characters > MOST_CHARACTERS:
            self._choices.clear()
            return
        text = _plain_text(held)
        if text is None:
            for chunk in _chunks(held):
                self._take(chunk, "delta")
        elif text:
            self._take({"choices": [{"delta": {"content": text}}]}, "delta")

    def _take(self, answer: Any, name: str) -> None:
        try:
            for choice in answer.get("choices") or ():
                place = choice.get("index") or 0
                own = self._choices.get(place)
                if own is None:
                    own = self._choices[place] = _Choice()
                self._characters += own.add(choice.get(name) or {})
        except (TypeError, AttributeError):
            return


def _plain_text(events: bytes) -> str | None:
    """What events say that hold nothing but text of the first choice; None where one holds more.

    Most do, and their text is found without reading the rest: inside a string, where words of the
    model's stand, every quote has a backslash before it.
    """
    found = _PLAIN_DELTA.findall(events)
    if len(found) != events.count(b'"delta":'):
        return None
    with suppress(ValueError):
        return "".join(orjson.loads(b"[" + b",".join(filter(None, found)) + b"]"))
    return None


def _chunks(events: bytes) -> list[Any]:
    """The JSON of events: all at once if they are as vLLM sends them, else one by one."""
    plain = events.removesuffix(DONE)
    if plain.startswith(_DATA) and plain.endswith(b"\n\n") and b"\r" not in plain:
        listed = plain[len(_DATA) : -2].replace(b"\n\n" + _DATA, b",")
        with suppress(ValueError):
            return list(orjson.loads(b"[" + listed + b"]"))
    return [chunk for data in event_data(events) for chunk in _chunk(data)]


def _chunk(data: bytes) -> list[Any]:
    try:
        return [orjson.loads(data)]
    except ValueError:
        return []


_PLAIN_DELTA = re.compile(
    rb'"index":0,"delta":\{(?:"role":"assistant",?)?(?:"content":("(?:[^"\\]++|\\.)*+"))?\}'
)
_DATA = b"data: "
