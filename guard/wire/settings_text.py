"""Texts of a request outside its prompt: in tools and constraints, and where none should stand.

Settings that hold numbers, flags and words of their own are carried unseen; any other text in one
is screened like the prompt. A constraint forces the model to say what it spells, so regular
expressions and grammars are screened a second time without their notation.
"""

import re
from collections.abc import Collection, Iterator

from guard.terms.item import Item
from guard.terms.json import JsonObject
from guard.wire.authors import authored
from guard.wire.call import field_items, strings
from guard.wire.fields import FieldTable, Rule

# Words that settings of the served protocols are known to hold.
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_STREAM_OPTIONS = ("include_usage", "continuous_usage_stats", "include_obfuscation")
_REPETITION = ("max_pattern_size", "min_pattern_size", "min_count")
_EMBEDDING = (
    "float",
    "base64",
    "bytes",
    "float32",
    "float16",
    "bfloat16",
    "native",
    "big",
    "little",
)
WORDS = frozenset((*_EFFORTS, *_STREAM_OPTIONS, *_REPETITION, *_EMBEDDING))

CONSTRAINTS = ("response_format", "structured_outputs")
NOTATIONS = frozenset(
    {"regex", "grammar", "pattern", "whitespace_pattern", "structural_tag", "json"}
)

_NUMBER = re.compile(r"[-+]?[0-9.]{1,40}(?:[eE][-+]?[0-9]{1,4})?")
_BLANK = re.compile(r"\\s|\\ |\\x20|\\u0020")
_TIMES = re.compile(r"\{[0-9, ]{0,20}\}")
# Ends at the next bracket of either kind, or rows of opening ones would take quadratic time.
_CLASS = re.compile(r"\[\^?(\\.|[^\]\\])(?:\\.|[^][\\])*+\]")
_NOTATION = re.compile(r"\"\s*\"|'\s*'|\(\?(?:[:=!]|<[=!]|[a-z-]{1,6}:)|[](){}*+?^$\\\"'[]")


def settings_items(body: JsonObject, table: FieldTable, prompt: Collection[str]) -> list[Item]:
    """The items of every field but the model's name and those in `prompt`, in the body's order."""
    items: list[Item] = []
    for name, value in body.items():
        rule = table.get(name)
        if rule is None or name == "model" or name in prompt:
            continue
        # Refused fields are here where the operator allows them: allowed, not unseen.
        if rule in (Rule.SCREENED, Rule.REFUSED, Rule.SWITCHES) or _holds_text(value):
            items += field_items(value, (name,), name)
        if name in CONSTRAINTS and (text := "\n".join(spelled_in(value))):
            items.append(authored((name,), name, text))
    return items


def _holds_text(value: object) -> bool:
    if isinstance(value, int | float | None):
        return False
    return any(text not in WORDS and not _NUMBER.fullmatch(text) for text in strings(value))


def spelled_in(value: object) -> Iterator[str]:
    """What the regular expressions and grammars in a constraint spell."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in NOTATIONS and isinstance(inner, str):
                    yield spelled(inner)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def spelled(notation: str) -> str:
    """A regular expression or grammar without its notation: `[f]orb(id)den\\sx` is `forbidden x`.

    One reading of many: of each class its first member, each repetition once, branches in lines.
    """
    text = _TIMES.sub("", _BLANK.sub(" ", notation))
    text = _CLASS.sub(r"\1", text).replace("|", "\n")
    return _NOTATION.sub("", text)
