"""A streamed answer that is held back until it was judged: all its choices. Sans-IO."""

from collections.abc import Callable

import orjson

from guard.answers.held_choice import HeldChoice
from guard.answers.windows import Window
from guard.settings import Release
from guard.terms.json import JsonObject
from guard.wire.envelopes import event as as_event
from guard.wire.events import BLANK_LINE, DONE, data_of, single


class HeldStream:
    """vLLM's events in, those that may go out, in the order of each choice.

    What belongs to no choice (usage, `[DONE]`) goes once nothing is held before it. An event of
    several choices is taken apart, so that none waits for another. A comment, which keeps a
    connection alive, goes at once, and so does an error: then nothing follows.
    """

    def __init__(self, release: Release, window: Window, expected: int = 1) -> None:
        """`expected` is the number of choices."""
        self._release = release
        self._window = window
        self._expected = expected
        self._choices: dict[int, HeldChoice] = {}
        self._at_once: list[bytes] = []
        self._endings: list[bytes] = []
        self._behind: list[bytes] = []
        self._complete = False
        self.head: JsonObject = {}
        self.usage: object = None
        self.failed = False
        self.done = False

    def feed(self, events: bytes, hear: Callable[[object], None] | None = None) -> None:
        """Take complete events; ValueError for one that is no JSON object. `hear` is given the
        choices of each."""
        for event in single(events):
            if not self.failed:
                self._take(event, hear)

    def _take(self, event: bytes, hear: Callable[[object], None] | None) -> None:
        data = data_of(event)
        if not data:
            self._at_once.append(event + BLANK_LINE)
        elif data.strip() == DONE:
            self._behind.append(event + BLANK_LINE)
            self._complete = True
            for choice in self._choices.values():
                choice.complete = True
        else:
            chunk = _object(orjson.loads(data))
            if hear:
                hear(chunk.get("choices"))
            self._take_chunk(event + BLANK_LINE, chunk)

    def _take_chunk(self, event: bytes, chunk: JsonObject) -> None:
        if "error" in chunk:
            self.failed = True
            self._at_once.append(event)
            return
        self.usage = chunk.get("usage") or self.usage
        if not self.head:
            self.head = {name: chunk[name] for name in _HEAD if name in chunk}
        choices = chunk.get("choices")
        if not isinstance(choices, list) or not choices:
            self._behind.append(event)
            return
        for choice in map(_object, choices):
            alone = event if len(choices) == 1 else as_event({**chunk, "choices": [choice]})
            self._of(choice).add(alone, choice)

    def _of(self, choice: JsonObject) -> HeldChoice:
        index = choice.get("index")
        number = index if isinstance(index, int) else 0
        if number not in self._choices:
            self._choices[number] = HeldChoice(self._release, self._window)
        return self._choices[number]

    def due(self) -> list[tuple[int, HeldChoice]]:
        """The choices with something worth a look now, by number."""
        return [(n, choice) for n, choice in self._choices.items() if choice.due]

    @property
    def is_due(self) -> bool:
        """Whether something is worth a look now."""
        return any(choice.due for choice in self._choices.values())

    @property
    def must_wait(self) -> bool:
        """Whether nothing may go before the next verdict."""
        return any(choice.due and choice.must_wait for choice in self._choices.values())

    def released(self) -> bytes:
        """The events that may go now, joined."""
        out, self._at_once = self._at_once, []
        if not self.failed:
            for choice in self._choices.values():
                out += choice.released()
            out += self._endings
            self._endings = []
            if all(choice.is_idle for choice in self._choices.values()):
                out += self._behind
                self._behind = []
                self.done = self._complete
        return b"".join(out)

    def stop(self, number: int, ending: bytes) -> None:
        """Let a choice say no more than `ending`."""
        self._choices[number].stop()
        self._endings.append(ending)

    @property
    def stopped(self) -> bool:
        """Whether every choice is over, some were stopped, and the model server goes on."""
        if self.done:
            return False
        choices = self._choices.values()
        over = [c.stopped or (c.complete and c.is_idle) for c in choices]
        return any(c.stopped for c in choices) and len(over) >= self._expected and all(over)

    @property
    def cut(self) -> bool:
        """Whether some choice was stopped."""
        return any(choice.stopped for choice in self._choices.values())

    @property
    def has_heard(self) -> bool:
        """Whether some text has come in."""
        return any(choice.has_heard for choice in self._choices.values())

    @property
    def has_spoken(self) -> bool:
        """Whether some text was released."""
        return any(choice.has_spoken for choice in self._choices.values())

    @property
    def held(self) -> int:
        """Bytes that wait."""
        return sum(choice.held for choice in self._choices.values())


_HEAD = ("id", "object", "created", "model")


def _object(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise ValueError("no JSON object")
    return value
