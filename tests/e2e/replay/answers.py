"""Answers made comparable: streams folded into one object, ids and times left out."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.e2e.replay.conversations import JsonObject
from tests.e2e.streams import folded

# How streams of Responses end.
ENDS = ("response.completed", "response.incomplete", "response.failed")
# Made anew for each answer.
FRESH = frozenset(
    {"id", "created", "created_at", "completed_at", "call_id", "item_id", "signature"}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One answer: its HTTP status, and what it says."""

    status: int
    said: JsonObject


def read(status: int, route: str, text: str, *, stream: bool) -> Reading:
    """An answer of `route`; an error by its status alone, for its words are each server's own."""
    if status != 200:
        return Reading(status, {})
    if not stream:
        return Reading(status, json.loads(text))
    if route in ("/v1/responses", "/v1/messages"):
        return Reading(status, _folded_events(text))
    return Reading(status, folded(text))


def differences(direct: Reading, proxied: Reading) -> dict[str, tuple[object, object]]:
    """By place, without indices, what the two say differently: vLLM's first; None for nothing."""
    if direct.status != proxied.status:
        return {"status": (direct.status, proxied.status)}
    ours, theirs = dict(_leaves(proxied.said)), dict(_leaves(direct.said))
    return {
        re.sub(r"\.\d+(?=\.|$)", "[]", place): (theirs.get(place), ours.get(place))
        for place in sorted(ours.keys() | theirs.keys())
        if ours.get(place) != theirs.get(place)
    }


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, object]]:
    """Each value that is no filled container, by its dotted place; fresh ones as if alike."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            at = f"{place}.{key}" if place else key
            fresh = key in FRESH and inner is not None
            yield from _leaves("(fresh)" if fresh else inner, at)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{place}.{index}")
    else:
        yield place, value


def _folded_events(text: str) -> JsonObject:
    """A stream of typed events: each type's order, its joined deltas, and its last event."""
    order: list[str] = []
    last: JsonObject = {}
    deltas: dict[str, str] = {}
    for line in text.splitlines():
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        event = json.loads(line.removeprefix("data: "))
        event.pop("sequence_number", None)
        kind = event["type"]
        if kind.endswith("delta") and kind != "message_delta":
            place = f"{kind} {event.get('output_index', event.get('index', 0))}"
            deltas[place] = deltas.get(place, "") + _piece(event["delta"])
        else:
            last["end" if kind in ENDS else kind] = event
        if not order or order[-1] != kind:
            order.append(kind)
    return {"order": order, "deltas": deltas, "last": last}


def _piece(delta: str | JsonObject) -> str:
    """The text of a delta: the delta itself, or that of Anthropic's object."""
    if isinstance(delta, str):
        return delta
    fields = ("text", "partial_json", "thinking")
    return next((str(delta[name]) for name in fields if name in delta), "")
