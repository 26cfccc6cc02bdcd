"""What a model's answer says, read beside the relay: whole or streamed, any number of choices.

A client may be handed the answer in another protocol's form, in blocks; what comes back as history
is the text of a block, or of all blocks together. Both are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from guard.recognition.parts import REASONING_FIELDS, Part, call_part, reasoning_part, text_part
from guard.wire.chat_stream import event_data

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
        for name in REASONING_FIELDS:
            if piece := message.get(name):
                read += self._grow(self.thoughts, "reasoning", piece)
                break
        if piece := message.get("content"):
            read += self._grow(self.texts, "text", piece)
        for position, call in enumerate(message.get("tool_calls") or ()):
            read += self._call(call, position)
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

    def feed(self, events: bytes) -> None:
        """Complete events of a stream."""
        for data in event_data(events):
            self._take(data, "delta")

    def whole(self, body: bytes) -> None:
        """An answer that came as a whole."""
        self._take(body, "message")

    def parts(self) -> tuple[Part, ...]:
        """What it says so far, each part once; nothing of an answer that is too long."""
        if self._characters > MOST_CHARACTERS:
            return ()
        found = (part for choice in self._choices.values() for part in choice.parts())
        return tuple(dict.fromkeys(part for part in found if any(part[1:])))

    def _take(self, data: bytes, name: str) -> None:
        if self._characters > MOST_CHARACTERS:
            self._choices.clear()
            return
        try:
            for choice in orjson.loads(data).get("choices") or ():
                own = self._choices.setdefault(choice.get("index") or 0, _Choice())
                self._characters += own.add(choice.get(name) or {})
        except (ValueError, TypeError, AttributeError):
            return  # not an answer: the relay says so, here nothing is remembered
