"""The texts of an answer: where they stand in vLLM's bodies and events, and how they grow."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import orjson

from guard.terms.item import Item
from guard.terms.json import JsonObject
from guard.wire.call import strings

Channel = tuple[str | int, ...]
"""Where a text stands inside a choice: `("content",)`, `("tool_calls", 0, "function", "name")`."""

TOOL_CALLS = "tool_calls"
ARGUMENTS: Channel = ("function", "arguments")
"""Where a tool call's arguments stand inside it."""
# Words of the protocol's, or names that the server gives: no text of the model's.
UNSAID = frozenset({"role", "id", "type", "index"})
COMPLETION: Channel = ("text",)


def said(choice: JsonObject) -> Iterator[tuple[Channel, str]]:
    """Every text of one choice: of a chat's message or delta, or of a text completion.

    What stands under a name that nobody knows yet is a text too.
    """
    yield from _strings(choice.get("delta", choice.get("message")), ())
    text = choice.get("text")
    if isinstance(text, str) and text:
        yield COMPLETION, text


def _strings(value: object, place: Channel) -> Iterator[tuple[Channel, str]]:
    if isinstance(value, str):
        if value:
            yield place, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name not in UNSAID:
                yield from _strings(inner, (*place, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            own = inner.get("index") if isinstance(inner, dict) else None
            step = own if isinstance(own, int) else number  # the pieces of a call name its place
            yield from _strings(inner, (*place, step))


def answer_item(index: int, channel: Channel, text: str) -> Item:
    """A text of the choice `index` as detectors judge it."""
    path = ("choices", index, *channel)
    return Item(path, "assistant", text, author="assistant", side="answer")


def is_call(channel: Channel) -> bool:
    """Whether a text is part of a tool call."""
    return channel[0] == TOOL_CALLS


def is_json(text: str) -> bool:
    """Whether a text is one complete JSON value."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def readable(text: str) -> str:
    """The text as a reader of it sees it: of JSON, the strings in it without their escapes."""
    if text[:1] not in ("{", "[", '"'):
        return text
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    return "\n".join(strings(value)) or text


@dataclass(slots=True)
class GrowingText:
    """One text while it comes in. Positions count its characters from the beginning.

    `judged` is how far it was judged, `cleared` how far it may be released, `released` how far it
    was; `redactions` are the spans that are left out. What is nobody's business any more is let
    go (`forget`): what is still there begins at `start`.
    """

    end: int = 0
    judged: int = 0
    cleared: int = 0
    released: int = 0
    redactions: list[tuple[int, int]] = field(default_factory=list)
    start: int = 0
    _pieces: list[str] = field(default_factory=list)

    def add(self, piece: str) -> None:
        """Let it grow."""
        self._pieces.append(piece)
        self.end += len(piece)

    def between(self, start: int, end: int) -> str:
        """The stretch from `start` to `end`, as far as it is still there."""
        if len(self._pieces) > 1:
            self._pieces = ["".join(self._pieces)]
        whole = self._pieces[0] if self._pieces else ""
        return whole[max(0, start - self.start) : max(0, end - self.start)]

    def ends_with(self, character: str) -> bool:
        """Whether the last piece ends with a character."""
        return bool(self._pieces) and self._pieces[-1].endswith(character)

    @property
    def unjudged(self) -> str:
        """What was not judged yet."""
        return self.between(self.judged, self.end)

    def forget(self, before: int) -> None:
        """Let go of what stands before a position."""
        if before > self.start:
            self._pieces = [self.between(before, self.end)]
            self.start = before
