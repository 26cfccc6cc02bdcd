"""Texts that say nothing any more, about as long as they were: made-up words for words.

For what reaches the model as text and cannot be replaced by embeddings. A word's pseudonym follows
from the key, the forget set and the word. Letters and figures are all replaced, however short the
word, and of signs only ordinary punctuation stays: a name may be spelt out, encoded or disguised.
Of a JSON value the keys and types that the protocols know stay; what the client has named gets an
identifier, unless it is known to hold no name.
"""

import json
import re
from collections.abc import Callable

from guard.corruption.noise import KeyedDraws

_WORD = re.compile(r"[^\W_]+")
_SIGNS = re.compile(r"[^\w\s,.;:?!()'\"]|_|(?<=[,.;:?!()'\"])[,.;:?!()'\"]+")
_VOWELS, _CONSONANTS, _FIGURES = "aeiou", "bdfghklmnprstvz", "0123456789"
_NO_IDENTIFIER = re.compile(r"[^A-Za-z0-9_-]")
_IDENTIFYING = frozenset({"name", "id", "tool_call_id", "required"})
"""Keys whose values are names of the client's, as all keys are that are not known."""
_KNOWN = frozenset(
    (
        *("type", "function", "name", "id", "index", "description", "parameters", "strict"),
        "defer_loading",
        *("arguments", "title", "text", "content", "role", "tool_call_id", "auto", "none"),
        *("object", "string", "integer", "number", "boolean", "array", "null", "properties"),
        *("required", "items", "enum", "const", "anyOf", "oneOf", "allOf", "not", "default"),
        *("additionalProperties", "patternProperties", "$defs", "$ref", "definitions", "format"),
        *("pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems"),
        *("examples", "include_usage", "continuous_usage_stats", "json_schema", "schema"),
    )
)
"""What protocols and JSON Schema say themselves."""


class Pseudonyms:
    """Replaces the words of texts, and of texts in JSON values."""

    def __init__(self, draws: KeyedDraws, holds_name: Callable[[str], bool] | None = None) -> None:
        """`holds_name` tells which identifiers must go; all but known ones where it is None."""
        self._draws = draws
        self._holds_name = holds_name

    def text(self, text: str) -> str:
        """The text with other words; of a JSON text, the strings in it."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                return json.dumps(self.value(json.loads(text)))
            except (ValueError, RecursionError):
                pass
        return _WORD.sub(lambda match: self._word(match[0]), _SIGNS.sub(" ", text))

    def value(self, value: object, key: str = "") -> object:
        """A JSON value, which stands under `key`, with other words."""
        if isinstance(value, str):
            return self.identifier(value) if key in _IDENTIFYING else self._said(value)
        if isinstance(value, list):
            return [self.value(one, key) for one in value]
        if isinstance(value, dict):
            return {self.identifier(name): self.value(one, name) for name, one in value.items()}
        return value

    def identifier(self, name: str) -> str:
        """Another name for something of the client's; its own where that holds none."""
        if name in _KNOWN or (self._holds_name and not self._holds_name(name.replace("_", " "))):
            return name
        parts = _NO_IDENTIFIER.sub("_", name).split("_")
        return "_".join(_WORD.sub(lambda match: self._word(match[0]), part) for part in parts)

    def _said(self, text: str) -> str:
        return text if text in _KNOWN else self.text(text)

    def _word(self, word: str) -> str:
        number = self._draws.number(b"word " + word.lower().encode("utf-8", "surrogatepass"))
        letters = []
        for place, letter in enumerate(word):
            # 64 bits are enough for a dozen letters; a longer word goes through them again.
            chosen = _drawn(letter, number >> (place * 5 % 60))
            letters.append(chosen.upper() if letter.isupper() else chosen)
        return "".join(letters)


def _drawn(letter: str, number: int) -> str:
    if letter.isdigit():
        return _FIGURES[number % len(_FIGURES)]
    kind = _VOWELS if letter.lower() in _VOWELS else _CONSONANTS
    return kind[number % len(kind)]
