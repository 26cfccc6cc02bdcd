"""Texts that say nothing any more, in the shape they had: every word another, made-up one.

For what reaches the model as text and cannot be replaced by embeddings. A word's pseudonym follows
from the key, the forget set and the word; short words, figures and signs stay.
"""

import json
import re
from collections.abc import Callable

from guard.corruption.noise import KeyedDraws

SHORTEST = 4
"""Letters of a word that is replaced; also in a pattern, where fewer may be notation."""

_WORD = re.compile(rf"(?<!\\)[^\W\d_]{{{SHORTEST},}}")
_VOWELS, _CONSONANTS = "aeiou", "bdfghklmnprstvz"
# Words that grammars and JSON give a meaning.
_KEPT = frozenset({"root", "true", "false", "null"})
_KEPT_UNDER = frozenset({"type", "format", "$ref", "role", "id", "name"})
_NAMING = frozenset({"properties", "patternProperties", "$defs", "definitions"})
"""What has names of the client's for keys."""


class Pseudonyms:
    """Replaces the words of texts, and of texts in JSON values."""

    def __init__(self, draws: KeyedDraws, kept: frozenset[str] = frozenset()) -> None:
        """What stands under keys that are `kept` stays."""
        self._draws = draws
        self._kept = _KEPT_UNDER | kept

    def text(self, text: str) -> str:
        """The text with other words; of a JSON text, the strings in it."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                return json.dumps(self.value(json.loads(text)), ensure_ascii=False)
            except (ValueError, RecursionError):
                pass
        return _WORD.sub(lambda match: self._word(match[0]), text)

    def value(self, value: object) -> object:
        """A JSON value with other words in its strings; its keys stay, but for what is named."""
        return self._below(value, "")

    def _below(self, value: object, key: str) -> object:
        if key in self._kept:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._below(one, key) for one in value]
        if isinstance(value, dict):
            named: Callable[[str], str] = self.text if key in _NAMING else str
            return {named(name): self._below(one, name) for name, one in value.items()}
        return value

    def _word(self, word: str) -> str:
        if word.lower() in _KEPT:
            return word
        if not word.isascii():
            return "".join(sorted(word))
        number = self._draws.number(b"word " + word.lower().encode())
        letters = []
        for place, letter in enumerate(word):
            kind = _VOWELS if letter.lower() in _VOWELS else _CONSONANTS
            # 64 bits are enough for a dozen letters; a longer word goes through them again.
            chosen = kind[(number >> (place * 5 % 60)) % len(kind)]
            letters.append(chosen.upper() if letter.isupper() else chosen)
        return "".join(letters)
