"""Turns that ask about somebody without naming them: 'where was she born?' after the name.

A turn that refers back gets the score of the turn it refers to. The rule, on the turns of a
conversation in order: a turn that fired puts its subject into focus. A user's turn follows up if

- it points further back in so many words ('the first one', 'as I asked before'), or
- it has a personal pronoun or a description ('the author'), no rival's name stands before that in
  the turn, and no turn of the user's since has named a rival; a rival's name is a capitalised one
  that neither an article nor a preposition of place makes a thing or a place, or
- it is cut short ('and when?') or says 'it', and neither it nor a turn since has named anything.

After `REACH` turns of the user's that do none of this, the focus is gone. In doubt a turn follows
up: that costs one corrupted answer in a conversation that had asked for what is to be forgotten.
"""

import re
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from guard.screening.cutting.item_order import is_said
from guard.screening.cutting.windows import USER_ROLES
from guard.terms.item import Item

REACH = 6
"""How many turns of the user's that do not refer back a subject stays in focus."""
SHORT_WORDS = 3
"""A question of so many words, or fewer, is cut short and refers to what came before."""
MOST_CHARACTERS = 4000
"""Only so much of a turn is looked at, from its beginning and from its end."""

_PRONOUN = re.compile(
    r"\b(?:s/he|he|she|him|hers?|his|himself|herself|they|them|theirs?|themselves"
    r"|sie|er|ihn|ihm|ihr|ihre[nrsm]?|sein(?:e[nrsm]?)?"
    r"|elle|lui|leur|il|ils|elles|ses"
    r"|él|ella|ellos|ellas|su|sus|lei|egli|suo|sua|suoi|ele|ela|dele|dela"
    r"|он|она|его|её|ее|ему|ей|них|они)\b"
    r"|[他她其]|彼|그(?:녀|의|는|가)|उस|वह|هو|هي",
    re.IGNORECASE,
)
_DESCRIPTION = re.compile(
    r"\b(?:the|this|that|said|same)\s+(?:\w+\s+){0,2}?(?:author|writer|person|people|man|woman|guy|lady|"
    r"individual|poet|novelist|artist|character|figure|one|name|somebody|someone|subject|topic)s?\b",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\b(?:the (?:first|former|previous|earlier|other|latter|last) (?:one|person|author|name|writer"
    r"|man|woman|question)|the former|(?:i|we) (?:asked|mentioned|named|said|told)|as before"
    r"|(?:mentioned|asked|named|discussed) (?:before|earlier|above|previously)|go(?:ing)? back"
    r"|back to|again about)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(
    r"^\W*(?:and|but|or|also|so|then|what about|how about|what else|who else|more|go on|continue"
    r"|und|et|y|e|и)\b",
    re.IGNORECASE,
)
_THING = re.compile(r"\b(?:it|its)\b|它", re.IGNORECASE)
# Inside a sentence, with the word before it: at its beginning every word has a capital.
_CAPITALISED = re.compile(r"(\w+)[,;)]? ((?=[^\W\d_a-z])[^\W\d_]+)(?=(?:\W|$))")
_NO_PERSON = frozenset(
    ("the", "a", "an", "in", "at", "from", "of", "on", "to", "near", "into", "under")
)
_WORD = re.compile(r"\w+")
_POLITE = re.compile(
    r"\W*(?:thanks?|thank you|ok(?:ay)?|hi|hello|bye|great|yes|no|please|cool|sure|danke|merci"
    r"|gracias)\b(?:\W+\w+){0,3}\W*",
    re.IGNORECASE,
)
# Capitalised for no reason of their own: languages, months and the like name nobody.
_NOBODY = frozenset(
    (
        *("i", "mr", "mrs", "ms", "dr", "god", "ok", "lgbtq", "english", "german", "french"),
        *("spanish", "italian", "russian", "chinese", "japanese", "hindi", "arabic", "portuguese"),
        *("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "january"),
        *("february", "march", "april", "may", "june", "july", "august", "september", "october"),
        *("november", "december"),
    )
)


def follow_up(items: Sequence[Item], scores: NDArray[np.float32], threshold: float) -> None:
    """Give the scores of items that fired to the turns that refer back to them, in place."""
    fired = set(np.flatnonzero(scores >= threshold).tolist())
    turns = [(item.role if is_said(item) else "", item.text) for item in items]
    known = words_of([items[index].text for index in fired])
    for index, subject in follow_ups(turns, fired, known).items():
        scores[index] = max(scores[index], scores[subject])


def follow_ups(
    turns: Sequence[tuple[str, str]], fired: Collection[int], known: Collection[str] = ()
) -> dict[int, int]:
    """By index of a turn that follows up, the index of the turn that fired and that it refers to.

    `turns` are (role, text) in order; `known` are words, in lower case, of the turns that fired:
    who names those names nobody else.
    """
    found: dict[int, int] = {}
    focus = _Focus()
    for index, (role, text) in enumerate(turns):
        if index in fired:
            focus.set(index)
        elif role in USER_ROLES and focus.subject is not None:
            meant = focus.is_meant(_looked_at(text), known)
            found.update({index: focus.subject} if meant else {})
    return found


def words_of(texts: Collection[str]) -> frozenset[str]:
    """The words of some turns, in lower case."""
    return frozenset(word.lower() for text in texts for word in _WORD.findall(_looked_at(text)))


class _Focus:
    """What a conversation is about, as far as its wordings show."""

    def __init__(self) -> None:
        self.subject: int | None = None
        self._person = self._thing = False
        self._patience = 0

    def set(self, subject: int) -> None:
        """The turn `subject` has named it."""
        self.subject = subject
        self._person = self._thing = True
        self._patience = REACH

    def is_meant(self, text: str, known: Collection[str]) -> bool:
        """Whether a turn refers to the subject; if not, its focus wanes."""
        rival, anything = _others(text, known)
        back = _first(_PRONOUN, text), _first(_DESCRIPTION, text)
        meant = (
            _BACK.search(text) is not None
            or (self._person and min(back) <= rival and min(back) < len(text))
            or (self._thing and anything == len(text) and _is_cut_short(text))
        )
        if meant and self.subject is not None:
            self.set(self.subject)
        else:
            self._patience -= 1
            self._person &= rival == len(text) and self._patience > 0
            self._thing &= anything == len(text) and self._patience > 0
        return meant


def _others(text: str, known: Collection[str]) -> tuple[int, int]:
    """Where a name that may be another person's stands, and where any other name; the text's
    length where none does."""
    rival = anything = len(text)
    for match in _CAPITALISED.finditer(text):
        word = match[2].lower()
        if match[2][0].isupper() and word not in known and word not in _NOBODY:
            anything = min(anything, match.start(2))
            if match[1].lower() not in _NO_PERSON:
                return match.start(2), anything
    return rival, anything


def _is_cut_short(text: str) -> bool:
    if _POLITE.fullmatch(text):
        return False
    short = 0 < len(_WORD.findall(text)) <= SHORT_WORDS
    return short or bool(_THING.search(text) or _OPENING.search(text))


def _first(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.search(text)
    return match.start() if match else len(text)


def _looked_at(text: str) -> str:
    if len(text) <= 2 * MOST_CHARACTERS:
        return text
    return f"{text[:MOST_CHARACTERS]}\n{text[-MOST_CHARACTERS:]}"
