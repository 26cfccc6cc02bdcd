"""The texts inside a JSON field as a model reads them: without the notation of its protocol.

Templates show tools, arguments and documents as JSON or in words of their own. What stands between
two texts there are keys that every such object has (`type`, `parameters`); a text that is cut in
two at such a place is one text to the model.
"""

import json
from collections.abc import Iterable, Iterator

NAMING = frozenset({"properties", "patternProperties", "$defs", "definitions", "arguments"})
"""Objects whose keys are names of somebody's choice, whatever they are."""
NOTATION = frozenset(
    {
        *("additionalProperties", "allOf", "anyOf", "arguments", "choice", "const", "content"),
        *("default", "definitions", "description", "doc_id", "documents", "enum", "examples"),
        *("exclusiveMaximum", "exclusiveMinimum", "format", "function", "grammar", "id", "index"),
        *("items", "json", "json_object", "json_schema", "maxItems", "maxLength", "maximum"),
        *("minItems", "minLength", "minimum", "name", "oneOf", "parameters", "pattern", "text"),
        *("patternProperties", "prefixItems", "properties", "regex", "required", "schema"),
        *("strict", "structural_tag", "title", "tool_calls", "type", "$defs", "$ref", "$schema"),
    }
)
"""Keys that the protocols give a meaning to."""
KINDS = frozenset(
    {
        *("array", "boolean", "function", "integer", "json_object", "json_schema", "null"),
        *("number", "object", "string", "structural_tag", "text"),
    }
)
"""What `type` says there."""
IDS = frozenset({"id", "doc_id", "index", "tool_call_id"})
DETAILS = frozenset({"parameters", "required", *IDS})
"""What some templates leave out, or set elsewhere than in its place."""
FIRST = ("id", "type", "name", "title")
"""Keys that templates set before their neighbours, wherever the caller has put them."""
MOST_PAIRS = 512


def leaves(value: object) -> Iterator[str]:
    """Every text and number in a JSON value in the order of a template, with the keys that are
    somebody's words."""
    yield from (text for key, text in _walk(value) if not (key == "type" and text in KINDS))


def bare_leaves(value: object) -> Iterator[str]:
    """The texts alone, without keys, numbers and details."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from bare_leaves(inner)
    elif isinstance(value, dict):
        for key, inner in _ordered(value):
            is_kind = key == "type" and isinstance(inner, str) and inner in KINDS
            if key not in DETAILS and not is_kind:
                yield from bare_leaves(_decoded(key, inner))


def pairs(value: object) -> Iterator[tuple[str, str]]:
    """Each key of somebody's choice with each text under it: what an object of a schema may say.

    At most `MOST_PAIRS`.
    """
    waiting = [(value, False)]
    given = 0
    while waiting:
        node, names = waiting.pop()
        if isinstance(node, list):
            waiting += [(inner, False) for inner in node]
        if not isinstance(node, dict):
            continue
        for key, inner in node.items():
            decoded = _decoded(key, inner)
            if names or key not in NOTATION:
                for text in leaves(decoded):
                    if given == MOST_PAIRS:
                        return
                    given += 1
                    yield key, text
            waiting.append((decoded, key in NAMING))


def _walk(value: object, key: str = "", *, names: bool = False) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, str(value)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, key)
    elif isinstance(value, dict):
        for name, inner in value.items() if names else _ordered(value):
            if names or name not in NOTATION:
                yield "", name
            yield from _walk(_decoded(name, inner), name, names=name in NAMING)


def _ordered(value: dict[str, object]) -> Iterable[tuple[str, object]]:
    last = len(FIRST)
    return sorted(value.items(), key=lambda p: FIRST.index(p[0]) if p[0] in FIRST else last)


def _decoded(key: str, value: object) -> object:
    """The arguments of a call, which clients send as JSON in a text."""
    if key != "arguments" or not isinstance(value, str):
        return value
    try:
        return json.loads(value)  # as vLLM reads them
    except (ValueError, RecursionError):
        return value


def texts_of(found: Iterable[str]) -> Iterator[str]:
    """Those that say something."""
    return (text for text in found if text.strip())
