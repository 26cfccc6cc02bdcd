"""Texts that say nothing any more, about as long as they were: made-up words for words.

For what reaches the model as text and cannot be replaced by embeddings. A word's pseudonym follows
from the key, the forget set and the word. Letters and figures are all replaced, however short the
word, and of signs only ordinary punctuation stays: a name may be spelt out, encoded or disguised.
"""

import json
import re

from guard.corruption.noise import KeyedDraws

_WORD = re.compile(r"[^\W_]+")
_SIGNS = re.compile(r"[^\w\s,.;:?!()'\"]|_|(?<=[,.;:?!()'\"])[,.;:?!()'\"]+")
_VOWELS, _CONSONANTS, _FIGURES = "aeiou", "bdfghklmnprstvz", "0123456789"
_KEPT_UNDER = frozenset({"type", "format", "$ref", "role", "id", "name"})
"""Keys whose values have a meaning to the model server, not to the model."""
_NAMING = frozenset({"properties", "patternProperties", "$defs", "definitions"})
"""What has names of the client's for keys."""


class Pseudonyms:
    """Replaces the words of texts, and of texts in JSON values."""

    def __init__(self, draws: KeyedDraws) -> None:
        self._draws = draws

    def text(self, text: str) -> str:
        """The text with other words; of a JSON text, the strings in it."""
        if text.lstrip()[:1] in ("{", "["):
            try:
                return json.dumps(self.value(json.loads(text)))
            except (ValueError, RecursionError):
                pass
        return _WORD.sub(lambda match: self._word(match[0]), _SIGNS.sub(" ", text))

    def value(self, value: object) -> object:
        """A JSON value with other words in its strings; its keys stay, but for what is named."""
        return self._below(value, "")

    def _below(self, value: object, key: str) -> object:
        if key in _KEPT_UNDER and isinstance(value, str):
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._below(one, key) for one in value]
        if isinstance(value, dict):
            named = key in _NAMING
            return {
                self.text(name) if named else name: self._below(one, "" if named else name)
                for name, one in value.items()
            }
        return value

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
