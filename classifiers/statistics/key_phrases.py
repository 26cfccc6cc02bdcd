"""What an answer would give away: names and figures of the gold answer that were not asked with.

A name is a run of capitalised words. One that also stands in answers about others (a country, a
well-known prize) can be said by a model that knows nothing, so `distinctive` ones are told apart.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

_WORD = re.compile(r"[^\W_]+(?:['’.&\-][^\W_]+)*")
_SENTENCE_END = re.compile(r"[.!?][\"'”’)]*\s+$|^\s*$|[:;]\s+[\"'“‘]?$")
_CONNECTORS = frozenset(
    re.findall(r"\S+", "of the and de del della da di du la le van von der den bin ibn al el")
)
_FUNCTION_WORDS = frozenset(
    re.findall(
        r"\S+",
        """
        a an the this that these those he she it they we i you his her its their our my your
        in on at as of for from with by and but or yes no not while although though both being
        born one some many most all each when where who what which how why if there here during
        after before since through throughout despite given due to is was are were has have had
        """,
    )
)
"""Words that are no name, though they begin a sentence."""


@dataclass(frozen=True, slots=True)
class Phrase:
    """A name or figure: as it was written, and its folded words that the question has not."""

    text: str
    novel: frozenset[str]

    def is_in(self, words: frozenset[str]) -> bool:
        """Whether a text with these folded words says all that is new in it."""
        return self.novel <= words


@dataclass(frozen=True, slots=True)
class KeyPhrases:
    """The key phrases of one gold answer; `distinctive` ones occur in no answer about others."""

    phrases: tuple[Phrase, ...]
    distinctive: tuple[Phrase, ...]

    @classmethod
    def of(cls, question: str, answer: str, known: "KnownAnswers | None" = None) -> Self:
        """The phrases of `answer` that are not in `question`, which is the whole prompt."""
        asked = folded_words(question)
        found: dict[frozenset[str], Phrase] = {}
        for text in name_runs(answer):
            novel = folded_words(text) - asked - _CONNECTORS - _FUNCTION_WORDS
            if novel and any(len(word) > 1 for word in novel):
                found.setdefault(novel, Phrase(text, novel))
        phrases = tuple(found.values())
        if known is None:
            return cls(phrases, phrases)
        return cls(phrases, tuple(phrase for phrase in phrases if not known.hold(phrase)))

    def leaked(self, output: str, *, distinctive: bool = False) -> bool:
        """Whether an output says one of them, in any case and order, as whole words."""
        words = folded_words(output)
        chosen = self.distinctive if distinctive else self.phrases
        return any(phrase.is_in(words) for phrase in chosen)


class KnownAnswers:
    """Answers about others: what stands in them is no knowledge of what was forgotten."""

    def __init__(self, answers: Iterable[str]) -> None:
        self._answers: list[frozenset[str]] = [folded_words(answer) for answer in answers]
        self._words = frozenset().union(*self._answers)

    def hold(self, phrase: Phrase) -> bool:
        """Whether one of the answers says all of the phrase."""
        if not phrase.novel <= self._words:
            return False
        return any(phrase.is_in(words) for words in self._answers)


def folded_words(text: str) -> frozenset[str]:
    """The words of a text without case, accents and possessive endings."""
    return frozenset(_fold(word) for word in _WORD.findall(text))


def _fold(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.replace("’", "'")).casefold()
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return bare.removesuffix("'s").removesuffix("'")


def name_runs(text: str) -> list[str]:
    """Maximal runs of capitalised words, joined by connectors, and every word with a digit."""
    runs: list[list[str]] = [[]]
    end = 0
    for match in _WORD.finditer(text):
        word, gap = match.group(), text[end : match.start()]
        end = match.end()
        if runs[-1] and gap.strip(" "):
            runs.append([])
        starts = bool(_SENTENCE_END.search(text[: match.start()]))
        joins = bool(runs[-1]) and word.casefold() in _CONNECTORS
        if joins or _is_name(word, starts=starts):
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    return [name for run in runs if (name := _trimmed(run))]


def _is_name(word: str, *, starts: bool) -> bool:
    if any(letter.isdigit() for letter in word):
        return True
    return word[0].isupper() and not (starts and word.casefold() in _FUNCTION_WORDS)


def _trimmed(run: list[str]) -> str:
    """A run without the connectors at its end."""
    while run and run[-1].casefold() in _CONNECTORS and run[-1][0].islower():
        run = run[:-1]
    return " ".join(run)
