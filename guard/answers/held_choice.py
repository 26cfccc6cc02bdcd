"""One choice of a streamed answer: its events wait until what they say may go. Sans-IO."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guard.answers.redaction import Span, edited, is_editable, joined, outside, redacted
from guard.answers.texts import (
    ARGUMENTS,
    COMPLETION,
    Channel,
    GrowingText,
    is_call,
    is_json,
    readable,
    said,
)
from guard.answers.windows import Window, clear_length, is_due
from guard.settings import Release
from guard.terms.json import JsonObject

MOST_CALL = 64 << 10
"""Characters of a tool call that is held until its arguments parse; longer ones go by window."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What is judged at once: `text` is the new stretch from `start` to `end`, and what stands
    before it, from `begin` on; None where its characters are not those of the answer."""

    channel: Channel
    text: str
    start: int
    end: int
    begin: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """An event of one choice, as it came; `ends` says how far its texts reach. One that is `early`
    tells of a character that is still to come."""

    data: bytes
    ends: Mapping[Channel, int]
    is_last: bool
    early: bool


class HeldChoice:
    """Holds events back: `released` gives those whose texts may go, in their order.

    With `hold` texts go once they were judged with the window behind them, with `tail` at once but
    at most a window ahead of the verdict, with `whole` when all of the choice was judged. A tool
    call goes as a whole: half a call may not run. `held` are the bytes that wait; it `has_begun`
    once an event has gone.
    """

    def __init__(self, release: Release, window: Window) -> None:
        self._release = release
        self._window = window
        self._texts: dict[Channel, GrowingText] = {}
        self._events: deque[Event] = deque()
        self._growing: frozenset[Channel] = frozenset()
        self.held = 0
        self.complete = False
        self.stopped = False
        self.has_begun = False

    def add(self, data: bytes, choice: JsonObject) -> None:
        """Take an event; once the choice is stopped nothing of it is kept."""
        if self.stopped:
            return
        ends: dict[Channel, int] = {}
        for channel, piece in said(choice):
            text = self._texts.setdefault(channel, GrowingText())
            text.add(piece)
            ends[channel] = text.end
        if ends:
            self._growing = frozenset(map(_part, ends))
        early = not ends and bool(choice.get("logprobs"))
        if early:
            first = next(iter(self._texts), COMPLETION)
            ends[first] = self._texts.setdefault(first, GrowingText()).end
        self.complete = self.complete or choice.get("finish_reason") is not None
        self._events.append(Event(data, ends, self.complete, early))
        self.held += len(data)

    @property
    def due(self) -> bool:
        """Whether something is worth a look now."""
        return not self.stopped and bool(self._due())

    @property
    def must_wait(self) -> bool:
        """Whether nothing may go before the next verdict."""
        if self._release != "tail" or self.complete:
            return True
        return any(t.end - t.judged >= self._window.characters for t in self._texts.values())

    def passages(self) -> list[Passage]:
        """What is to be judged now: new texts, each with what stands before it."""
        return [self._passage(channel, self._texts[channel]) for channel in self._due()]

    def judged(self, passages: Sequence[Passage]) -> None:
        """Nothing was found in them that stops the choice."""
        for passage in passages:
            text = self._texts[passage.channel]
            text.judged = passage.end
            text.cleared = max(text.cleared, self._clear(passage.channel, text))
            text.forget(min(text.judged - self._window.context, text.cleared, text.released))

    def released(self) -> list[bytes]:
        """The events that may go now."""
        out = []
        while self._events and self._may_go(self._events[0]):
            event = self._events.popleft()
            out.append(self._edited(event))
            self.has_begun = True
            for channel, end in event.ends.items():
                self._texts[channel].released = end
            self.held -= len(event.data)
        return out

    def gone(self, channel: Channel, start: int, end: int) -> int:
        """Characters of a stretch of a text that were released."""
        return min(max(0, self._texts[channel].released - start), end - start)

    def redact(self, passage: Passage, spans: Sequence[Span]) -> int:
        """Leave spans of a passage out of what is released; how many characters have gone of those
        that are new."""
        text, begin = self._texts[passage.channel], passage.begin or 0
        found = [(begin + start, begin + end) for start, end in spans]
        new = [part for span in found for part in outside(span, text.redactions)]
        text.redactions = joined((*text.redactions, *found))
        return sum(self.gone(passage.channel, *part) for part in new if part[1] > passage.start)

    def behind(self, passage: Passage) -> int:
        """Characters that came in since a passage's new text began."""
        return self._texts[passage.channel].end - passage.start

    @property
    def has_heard(self) -> bool:
        """Whether some text has come in."""
        return any(text.end for text in self._texts.values())

    @property
    def has_spoken(self) -> bool:
        """Whether some text was released."""
        return any(text.released for text in self._texts.values())

    def stop(self) -> None:
        """Drop what is held, and whatever comes."""
        self._events.clear()
        self.held = 0
        self.stopped = True

    @property
    def is_idle(self) -> bool:
        """Whether nothing is held."""
        return not self._events

    def _edited(self, event: Event) -> bytes:
        """The event as it goes: without what is redacted."""
        texts = {}
        for channel, end in event.ends.items():
            text = self._texts[channel]
            if text.redactions and end > text.released:
                plain = text.between(text.released, end)
                if (kept := redacted(plain, text.redactions, text.released)) != plain:
                    texts[channel] = kept
        return edited(event.data, texts) if texts else event.data

    def _due(self) -> list[Channel]:
        new = [channel for channel, text in self._texts.items() if text.end > text.judged]
        if self.complete:
            return new
        if self._release == "whole":
            return []
        return [channel for channel in new if self._is_due(channel, self._texts[channel])]

    def _is_due(self, channel: Channel, text: GrowingText) -> bool:
        if self._is_over(channel):
            return True
        if not is_call(channel) or text.end > MOST_CALL:
            return is_due(text.unjudged, self._window)
        arguments = self._texts.get((*channel[:2], *ARGUMENTS))
        return arguments is not None and (arguments.end > MOST_CALL or _is_complete(arguments))

    def _is_over(self, channel: Channel) -> bool:
        """Whether the model went on to something else: an answer after its reasoning, say."""
        return self.complete or _part(channel) not in self._growing

    def _passage(self, channel: Channel, text: GrowingText) -> Passage:
        begin = max(text.judged - self._window.context, text.start)
        plain = text.between(begin, text.end)
        seen = readable(plain) if is_call(channel) or self._release == "whole" else plain
        can_edit = seen is plain and is_editable(channel)
        return Passage(channel, seen, text.judged, text.end, begin if can_edit else None)

    def _clear(self, channel: Channel, text: GrowingText) -> int:
        """How far a text may go that was judged to `text.judged`."""
        if is_call(channel) and text.end <= MOST_CALL:
            return text.judged
        seen = text.between(text.cleared, text.judged)
        return text.cleared + clear_length(seen, self._window)

    def _may_go(self, event: Event) -> bool:
        if self._release == "whole" and not self.complete:
            return False
        if event.is_last and any(text.end > text.judged for text in self._texts.values()):
            return False
        if event.is_last:
            return True
        return all(
            end + event.early <= self._allowed(channel) for channel, end in event.ends.items()
        )

    def _allowed(self, channel: Channel) -> int:
        text = self._texts[channel]
        if self._is_over(channel) and text.judged == text.end:
            return text.end + 1
        if self._release == "tail":
            return text.judged + self._window.characters
        return text.cleared


def _is_complete(arguments: GrowingText) -> bool:
    """Whether a call's arguments are complete JSON."""
    return arguments.ends_with("}") and is_json(arguments.between(0, arguments.end))


def _part(channel: Channel) -> Channel:
    """The part of an answer that a text belongs to: one of several tool calls, or the text."""
    return channel[:2] if is_call(channel) else channel[:1]
