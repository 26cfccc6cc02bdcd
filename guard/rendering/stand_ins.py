"""Words that stand for a request's texts while its template is rendered, so that each is found
again in what comes out.

A template puts texts in order, trims them, writes them as JSON; a made-up word comes through all
of it, however long the text it stands for. What the template looks for in texts (tags of its own)
is left where it is, and so is the white space at either end.
"""

import json
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from guard.rendering.leaves import DETAILS, KINDS, NAMING, NOTATION
from guard.terms.item import Path
from guard.terms.json import JsonObject
from guard.terms.rendering import LINE

TOOL_ORDER = ("type", "function", "name", "description", "parameters")
CALL_ORDER = ("id", "function", "arguments", "name", "type")
"""Whatever order the client has: the model server puts what it has parsed in its own."""
MOST_TAGS = 20
"""In one text: what stands behind is one piece."""
_TAG = re.compile(r"</?[A-Za-z_]{2,30}>|<\|[^<>|]{1,40}\|>|\[/?[A-Z_]{3,30}\]")
_WORD = re.compile(r"q\d{7}z")
"""Nine letters and figures: as long as the ids of calls that some templates insist on."""


class Found(NamedTuple):
    """A text in the rendered prompt: where it comes from, and what stands before it.

    A `detail` is a key, or what says of a tool or call less than its name and description do.
    """

    text: str
    path: Path
    detail: bool
    joint: str


def tags_of(template: str) -> re.Pattern[str] | None:
    """What the template looks for in texts, or writes itself."""
    tags = sorted(set(_TAG.findall(template)))
    return re.compile("(" + "|".join(map(re.escape, tags)) + ")") if tags else None


class StandIns:
    """Of one request, for a template with such tags."""

    def __init__(self, tags: re.Pattern[str] | None) -> None:
        self._tags = tags
        self._words: dict[tuple[str, Path, bool], str] = {}
        self._meant: dict[str, tuple[str, Path, bool]] = {}

    def text(self, text: str, path: Path, *, detail: bool = False) -> str:
        """A text of the item at `path` as the template is given it."""
        pieces = self._tags.split(text, maxsplit=MOST_TAGS) if self._tags else [text]
        return "".join(
            piece if place % 2 else self._piece(piece, path, detail)
            for place, piece in enumerate(pieces)
        )

    def value(self, value: object, path: Path, key: str = "", *, detail: bool = False) -> object:
        """A JSON value of the item at `path`: all but the protocol's notation stood for."""
        if isinstance(value, str):
            is_kind = key == "type" and value in KINDS
            return value if is_kind else self.text(value, path, detail=detail)
        if isinstance(value, list):
            return [self.value(one, path, key, detail=detail) for one in value]
        if not isinstance(value, dict):
            return value
        made = {}
        for name, inner in value.items():
            stood_for = key in NAMING or name not in NOTATION
            shown = self.text(name, path, detail=True) if stood_for else name
            is_detail = detail or name in DETAILS
            made[shown] = self.value(inner, path, name, detail=is_detail)
        return made

    def calls(self, value: object, path: Path) -> object:
        """The calls of a message, their arguments as objects: so the model server gives them."""
        if not isinstance(value, list):
            return self.value(value, path)
        return [self.value(_ordered(_decoded(call), CALL_ORDER), path) for call in value]

    def tools(self, value: object, path: Path) -> object:
        """The definitions of tools."""
        if not isinstance(value, list):
            return self.value(value, path)
        return [self.value(_ordered(tool, TOOL_ORDER), path) for tool in value]

    def found_in(self, rendered: str) -> Iterator[Found]:
        """The texts that stand in a rendered prompt, in its order."""
        end = 0
        for match in _WORD.finditer(rendered):
            if match[0] in self._meant:
                between = rendered[end : match.start()]
                yield Found(*self._meant[match[0]], LINE if between.strip() else between)
                end = match.end()

    def _piece(self, text: str, path: Path, detail: bool) -> str:
        core = text.strip()
        if not core:
            return text[:1]
        known = core, path, detail
        word = self._words.get(known)
        if word is None:
            word = self._words[known] = f"q{len(self._words):07d}z"
            self._meant[word] = known
        before = text[0] if text[0].isspace() else ""
        return before + word + (text[-1] if text[-1].isspace() else "")


def _ordered(value: object, names: Sequence[str]) -> object:
    """The members of an object and of the function in it, those of these names first."""
    if not isinstance(value, dict):
        return value
    order = [*(n for n in names if n in value), *(n for n in value if n not in names)]
    return {n: _ordered(value[n], names) if n == "function" else value[n] for n in order}


def _decoded(call: object) -> object:
    function = call.get("function") if isinstance(call, dict) else None
    said = function.get("arguments") if isinstance(function, dict) else None
    if not isinstance(call, dict) or not isinstance(function, dict) or not isinstance(said, str):
        return call
    try:
        decoded: JsonObject = {**function, "arguments": json.loads(said or "{}")}
    except (ValueError, RecursionError):
        return call
    return {**call, "function": decoded}
