"""What of an assistant's message is recognised: its text, its reasoning, its tool calls.

Only what clients change as a rule is evened out: white space around a text, and how the JSON of a
tool call's arguments is written. Whatever else differs makes it another text.
"""

import json
from collections.abc import Iterator, Mapping

from guard.terms.item import Path
from guard.terms.json import JsonObject

Part = tuple[str, ...]
"""A kind, and the texts that make it what it is."""

CALL_KEYS = frozenset({"id", "type", "index", "function"})
FUNCTION_KEYS = frozenset({"name", "arguments"})
REASONING_FIELDS = ("reasoning", "reasoning_content")
MOST_ARGUMENTS = 256 << 10
"""Characters; longer arguments are recognised as they were written only."""


class _RepeatedKeyError(ValueError):
    """An object names a key twice: only one of the two would be seen."""


def text_part(text: str) -> Part:
    """A message's text, or one of its text parts."""
    return "text", text.strip()


def reasoning_part(text: str) -> Part:
    """The reasoning of a message."""
    return "reasoning", text.strip()


def call_part(call_id: str, name: str, arguments: str) -> Part:
    """A tool call; `arguments` are JSON text."""
    return "call", call_id, name, evened_out(arguments)


def evened_out(arguments: str) -> str:
    """JSON text as anybody would write it again: keys in order, no white space; else as it is."""
    if len(arguments) > MOST_ARGUMENTS:
        return arguments.strip()
    try:
        value = json.loads(arguments or "{}", object_pairs_hook=_once, parse_float=_number)
        # Anthropic's messages have no call without an input: `null` comes back as an empty one.
        return json.dumps({} if value is None else value, sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        return arguments.strip()


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RepeatedKeyError
    return found


def _number(text: str) -> float | int:
    """A number with a point or an exponent; 1.0 is 1, as it is in JavaScript."""
    value = float(text)
    return int(value) if value.is_integer() else value


def says_something(part: Part) -> bool:
    """Whether there is anything in it to recognise."""
    return any(part[1:])


def message_parts(message: JsonObject, path: Path) -> dict[Path, tuple[Part, ...] | None]:
    """By the path of each field that holds words: the parts it consists of.

    None for a field that cannot be recognised: no answer of ours has it, or not in that form.
    """
    found: dict[Path, tuple[Part, ...] | None] = {}
    for name, value in message.items():
        if value is None or name == "role":
            continue
        here = (*path, name)
        if name == "content":
            found |= _content_parts(value, here)
        elif name in REASONING_FIELDS and isinstance(value, str):
            found[here] = (reasoning_part(value),)
        elif name == "tool_calls":
            found[here] = _call_parts(value)
        else:
            found[here] = None
    return found


def _content_parts(content: object, path: Path) -> Mapping[Path, tuple[Part, ...] | None]:
    if isinstance(content, str):
        return {path: (text_part(content),)}
    parts = content if isinstance(content, list) else []
    return {(*path, place): _text_of(part) for place, part in enumerate(parts)}


def _text_of(part: object) -> tuple[Part, ...] | None:
    text = part.get("text") if isinstance(part, dict) else None
    return (text_part(text),) if isinstance(text, str) else None


def _call_parts(calls: object) -> tuple[Part, ...] | None:
    try:
        return tuple(_calls(calls))
    except ValueError:
        return None


def _calls(calls: object) -> Iterator[Part]:
    """The parts of tool calls; ValueError where one has a field that no answer of ours has."""
    if not isinstance(calls, list):
        raise ValueError
    for call in calls:
        if not isinstance(call, dict) or not call.keys() <= CALL_KEYS:
            raise ValueError
        if call.get("type", "function") != "function" or not isinstance(call.get("index", 0), int):
            raise ValueError
        function = call.get("function")
        if not isinstance(function, dict) or not function.keys() <= FUNCTION_KEYS:
            raise ValueError
        told = call.get("id"), function.get("name"), function.get("arguments")
        if not all(isinstance(text, str) for text in told):
            raise ValueError
        yield call_part(*map(str, told))
