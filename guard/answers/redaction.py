"""Texts of an answer without what was found in them."""

from collections.abc import Iterable, Mapping, Sequence

import orjson

from guard.answers.texts import COMPLETION, Channel
from guard.terms.json import JsonObject
from guard.wire.chat_stream import event_data
from guard.wire.envelopes import event

MARK = "[redacted]"

Span = tuple[int, int]
"""Where something stands: from a character to before another."""


def joined(spans: Iterable[Span]) -> list[Span]:
    """Spans in order, those that touch made one."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def outside(span: Span, others: Sequence[Span]) -> list[Span]:
    """The parts of a span that no other covers; `others` are `joined`."""
    parts, at = [], span[0]
    for start, end in others:
        if start < span[1] and end > at:
            if start > at:
                parts.append((at, start))
            at = end
    return [*parts, (at, span[1])] if at < span[1] else parts


def redacted(text: str, spans: Sequence[Span], start: int = 0) -> str:
    """A text that begins at position `start` without the spans, a mark where each begins."""
    kept: list[str] = []
    at, end = start, start + len(text)
    for first, last in spans:
        if last <= at or first >= end:
            continue
        kept.append(text[at - start : max(at, first) - start])
        if first >= start:
            kept.append(MARK)
        at = min(last, end)
    return "".join((*kept, text[at - start :]))


def with_texts(choice: JsonObject, texts: Mapping[Channel, str]) -> JsonObject:
    """A choice, or an event's part of one, with other texts. Its logprobs spell out the old ones,
    so they are left out."""
    made: JsonObject = {**choice, "logprobs": None}
    holder = "delta" if "delta" in choice else "message"
    for channel, text in texts.items():
        place = channel if channel == COMPLETION else (holder, *channel)
        _set(made, place, text)
    return made


def edited(data: bytes, texts: Mapping[Channel, str]) -> bytes:
    """An event of one choice with other texts."""
    (found,) = event_data(data)
    chunk = orjson.loads(found)
    return event({**chunk, "choices": [with_texts(chunk["choices"][0], texts)]})


def is_editable(channel: Channel) -> bool:
    """Whether a text can be edited: it is no part of a list, as tool calls are."""
    return all(isinstance(step, str) for step in channel) and bool(channel)


def _set(holder: JsonObject, place: Channel, text: str) -> None:
    """Put a text in its place, in copies of the objects on the way."""
    first, *rest = place
    if not rest:
        holder[str(first)] = text
        return
    inner = holder[str(first)]
    holder[str(first)] = copy = dict(inner) if isinstance(inner, dict) else {}
    _set(copy, tuple(rest), text)
