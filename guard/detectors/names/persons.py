"""People by parts of their names: a given name and a last name that stand near each other.

Nobody writes a name as the register has it. 'Ilse van Varnholt', 'Varnholt, Dr. Ilse M.',
'Ilse Varnh...', 'Ilse V.' and 'Ilse, whose last name is Varnholt' are all Ilse Varnholt; 'Ilse
Berg and Otto Varnholt' are two others. What counts, by the words' numbers in the text:

- run: a given name and a last name, either first, with at most `LONGEST_RUN` words between them
  that could be part of the name (initials, particles, middle names), and no end of a sentence.
  Both may have a slip, and the last name may be carried on by a few letters.
- cut: a given name, and behind it the beginning of the last name, with initials and particles
  between; or the beginning of a given name before the whole last name.
- initial: a given name, and behind it the last name's first letter, alone.
- apart: a given name and a last name within `FAR` words, both with capitals and neither beside
  another capitalised word.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from guard.detectors.names.common_words import (
    FAMILY_STEMS,
    FUNCTION_WORDS,
    GENERATIONS,
    PARTICLES,
    TITLES,
)
from guard.detectors.names.near_names import LONGEST_WORD, REMEMBERED_WORDS, NearWords
from guard.detectors.names.phrases import fold

LONGEST_RUN = 4
FAR = 12
SHORTEST_GIVEN = 3
SHORTEST_LAST = 4
SHORTEST_CUT = 4
"""Letters that are left of a last name which is cut short; of a given one too."""
SHORTEST_CUT_OF_RARE = 2
"""The same beside a given name that hardly anybody else has."""
LENGTHENED = 6
"""Letters of a last name that still counts with up to `MOST_ADDED` more behind it."""
MOST_ADDED = 3

_NO_NAMES = FUNCTION_WORDS | TITLES
_TOKEN = re.compile(r"[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)*")
# Between a table's cells, or with figures between them, words are nobody's name together.
_ROWS = re.compile(r"[\n|;\t\d]")
_ENDS = re.compile(r"[.!?\u3002\uff01\uff1f]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")


@dataclass(frozen=True, slots=True)
class _Token:
    """A word of a text: folded, as written, and where."""

    word: str
    written: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Evidence:
    """The people of whose names a word is part, by number; `near` with a slip or more letters."""

    given: frozenset[int] = frozenset()
    near_given: frozenset[int] = frozenset()
    cut_given: frozenset[int] = frozenset()
    last: frozenset[int] = frozenset()
    near_last: frozenset[int] = frozenset()
    cut_last: frozenset[int] = frozenset()


_NONE = _Evidence()


class People:
    """Finds the owners of those people whose names stand in a text in parts."""

    def __init__(
        self, names: Sequence[Iterable[str]], rare: Sequence[Iterable[str]] | None = None
    ) -> None:
        """`names[i]` are owner i's names, of which those of people are taken; `rare[i]` are given
        names and nicknames of theirs that point to them nearly alone."""
        self._owners: list[int] = []
        self._initials: list[frozenset[str]] = []
        self._given_words, self._last_words = NearWords(), NearWords()
        self._given: dict[int, set[int]] = defaultdict(set)
        self._last: dict[int, set[int]] = defaultdict(set)
        self._cut_given: dict[str, set[int]] = defaultdict(set)
        self._cut_last: dict[str, set[int]] = defaultdict(set)
        self._rare: set[int] = set()
        for owner, own in enumerate(names):
            alone = {fold(word) for word in (rare[owner] if rare else ())}
            for name in own:
                if parts := name_parts(name):
                    self._add(owner, *parts, alone)
        # Most words of a text were met before.
        self._evidence = lru_cache(REMEMBERED_WORDS)(self._find_evidence)

    def _add(
        self, owner: int, given: Sequence[str], lasts: Sequence[str], rare: Collection[str]
    ) -> None:
        person = len(self._owners)
        self._owners.append(owner)
        self._initials.append(frozenset(last[0] for last in lasts))
        if given[0] in rare:
            self._rare.add(person)
        nicknames = (word for word in rare if word not in lasts and " " not in word)
        for word in dict.fromkeys((*given, *nicknames)):
            self._given[self._given_words.number(word)].add(person)
            for length in range(SHORTEST_CUT, len(word) - 1):
                self._cut_given[word[:length]].add(person)
        for word in lasts:
            self._last[self._last_words.number(word)].add(person)
            for length in range(SHORTEST_CUT_OF_RARE, len(word)):
                self._cut_last[word[:length]].add(person)

    def owners(self, text: str) -> frozenset[int]:
        """The owners of the people named in `text`, as it was written."""
        if not self._owners:
            return frozenset()
        tokens = list(_tokens(text))
        evidence = [self._evidence(token.word) for token in tokens]
        people: set[int] = set()
        for at, found in enumerate(evidence):
            if found.near_given:
                people.update(self._in_run(text, tokens, evidence, at))
            if found.given:
                people.update(self._cut_short(text, tokens, evidence, at))
                people.update(self._apart(text, tokens, evidence, at))
            if found.cut_given:
                people.update(self._given_cut_short(text, tokens, evidence, at))
        return frozenset(self._owners[person] for person in people)

    def _in_run(
        self, text: str, tokens: Sequence[_Token], evidence: Sequence[_Evidence], at: int
    ) -> Iterator[int]:
        for step in (1, -1):
            for other in _run(text, tokens, at, step):
                yield from evidence[at].near_given & evidence[other].near_last

    def _cut_short(
        self, text: str, tokens: Sequence[_Token], evidence: Sequence[_Evidence], at: int
    ) -> Iterator[int]:
        """'Ilse Varnh' and 'Ilse V.'"""
        given = evidence[at].given
        for other in _run(text, tokens, at, 1):
            token = tokens[other]
            for person in given & evidence[other].cut_last:
                is_rare = person in self._rare and token.written[0].isupper()
                if len(token.word) >= (SHORTEST_CUT_OF_RARE if is_rare else SHORTEST_CUT):
                    yield person
            if _is_last_initial(text, tokens, other):
                yield from (one for one in given if token.word in self._initials[one])
            if len(token.word) > 1 and token.word not in PARTICLES:
                return

    def _given_cut_short(
        self, text: str, tokens: Sequence[_Token], evidence: Sequence[_Evidence], at: int
    ) -> Iterator[int]:
        """'Ils Varnholt'"""
        for other in _run(text, tokens, at, 1):
            if len(tokens[other].word) > 1:
                yield from evidence[at].cut_given & evidence[other].last
                return

    def _apart(
        self, text: str, tokens: Sequence[_Token], evidence: Sequence[_Evidence], at: int
    ) -> Iterator[int]:
        """'Ilse, whose last name is Varnholt'"""
        for other in range(max(0, at - FAR), min(len(tokens), at + FAR + 1)):
            both = evidence[at].given & evidence[other].last
            if not both or other == at or tokens[other].word in FAMILY_STEMS:
                continue
            left, right = sorted((at, other))
            if _ROWS.search(text, tokens[left].end, tokens[right].start):
                continue
            if all(_is_proper(text, tokens, place) for place in (at, other)):
                yield from both

    def _find_evidence(self, word: str) -> _Evidence:
        if not 2 <= len(word) <= LONGEST_WORD:
            return _NONE
        given, near_given = self._known(word, self._given, self._given_words)
        last, near_last = self._known(word, self._last, self._last_words)
        is_name = word in FAMILY_STEMS or word in FUNCTION_WORDS or word in PARTICLES
        cut = frozenset() if is_name else frozenset(self._cut_last.get(word, ()))
        cut_given = frozenset(self._cut_given.get(word, ()))
        near_last = near_last.union(*self._lengthened(word))
        if not (near_given or near_last or cut or cut_given):
            return _NONE
        return _Evidence(given, near_given, cut_given - given, last, near_last, cut - last)

    @staticmethod
    def _known(
        word: str, people: Mapping[int, set[int]], words: NearWords
    ) -> tuple[frozenset[int], frozenset[int]]:
        """The people whose names have the word, and those whose names have one like it."""
        exact = frozenset(people.get(words.known(word), ()))
        return exact, exact.union(*(people[number] for number in words.alike(word)))

    def _lengthened(self, word: str) -> Iterator[set[int]]:
        """The people whose last name is `word` without its last letters."""
        for length in range(max(LENGTHENED, len(word) - MOST_ADDED), len(word)):
            known = self._last_words.known(word[:length])
            if known >= 0 and word[:length] not in FAMILY_STEMS:
                yield self._last[known]


def name_parts(name: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """Given names and the ways to write the last name, folded, of a person's full name.

    None for what is no person's name by its looks: a title with an article in it, a single word,
    a phrase in small letters.
    """
    if any(map(str.isdigit, name)):
        return None
    words = [word for word in name.replace(",", " ").split() if fold(word) not in GENERATIONS]
    folded = [fold(word) for word in words]
    if not 2 <= len(words) <= 6 or any(word in FUNCTION_WORDS for word in folded):
        return None
    if not all(word[:1].isupper() or fold(word) in PARTICLES for word in words):
        return None
    given = tuple(word for name in folded[:-1] for word in _written(name, SHORTEST_GIVEN))
    lasts = _written(folded[-1], SHORTEST_LAST)
    return (given, lasts) if given and lasts else None


def _written(folded: str, shortest: int) -> tuple[str, ...]:
    """'al tamari' as 'tamari' and 'altamari'; each part of a double name."""
    parts = [word.replace("'", "") for word in folded.split()]
    ways = dict.fromkeys((*parts, "".join(parts)))
    return tuple(word for word in ways if len(word) >= shortest and word not in PARTICLES)


def _tokens(text: str) -> Iterator[_Token]:
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    for match in _TOKEN.finditer(text):
        written = match[0]
        word = fold(written).replace("'", "").replace(" ", "")
        yield _Token(word, written, match.start(), match.end())


def _run(text: str, tokens: Sequence[_Token], at: int, step: int) -> Iterator[int]:
    """The words that could belong to one name with the word `at`, going away from it."""
    for distance in range(1, LONGEST_RUN + 2):
        other = at + step * distance
        if not 0 <= other < len(tokens):
            return
        left, right = sorted((other, other - step))
        between = text[tokens[left].end : tokens[right].start]
        if _ROWS.search(between) or (_ENDS.search(between) and not _is_short(tokens[left])):
            return
        if tokens[other].word in FUNCTION_WORDS:
            return
        yield other


def _is_last_initial(text: str, tokens: Sequence[_Token], at: int) -> bool:
    """Whether a letter stands for a last name: alone, and no other name behind it."""
    token = tokens[at]
    if len(token.word) != 1:
        return False
    if not token.written.isupper() and text[token.end : token.end + 1] != ".":
        return False
    return not _is_neighbour(text, tokens, at, 1)


def _is_short(token: _Token) -> bool:
    """Whether a dot behind it may end an initial or a title, and no sentence."""
    return len(token.word) == 1 or token.word in TITLES or token.word in PARTICLES


def _is_proper(text: str, tokens: Sequence[_Token], at: int) -> bool:
    """Whether a word has a capital and is no part of somebody else's name."""
    token = tokens[at]
    if not token.written[:1].isupper():
        return False
    return not any(_is_neighbour(text, tokens, at, step) for step in (-1, 1))


def _is_neighbour(text: str, tokens: Sequence[_Token], at: int, step: int) -> bool:
    other = at + step
    if not 0 <= other < len(tokens):
        return False
    left, right = sorted((at, other))
    if text[tokens[left].end : tokens[right].start].strip(" \t."):
        return False
    word = tokens[other]
    return word.written[:1].isupper() and word.word not in _NO_NAMES
