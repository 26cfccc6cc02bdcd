"""Words of names found in spite of a slip, and whole names word by word.

Slips are found through the words with one letter left out (as in SymSpell), which both sides
share, and checked by their distance: the cost does not grow with the number of names.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from guard.detectors.names.phrases import WORDS

NEAR_LETTERS = 9
"""Shorter names are matched exactly: too many others are one slip away."""
LONG_WORD = 5
"""Words of a name with fewer letters are matched exactly."""
LONGEST_WORD = 40
REMEMBERED_WORDS = 1 << 14


class NearWords:
    """Numbers the words it is given, and finds those that are one slip away from another word."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._spelt: list[str] = []
        self._shortened: dict[str, set[int]] = defaultdict(set)
        # Most words of a text were met before.
        self.alike = lru_cache(REMEMBERED_WORDS)(self._find_alike)

    def known(self, word: str) -> int:
        """The number of a word that was added, else -1."""
        return self._numbers.get(word, -1)

    def number(self, word: str) -> int:
        """The word's number; a new one is added."""
        if word not in self._numbers:
            number = self._numbers[word] = len(self._spelt)
            self._spelt.append(word)
            for key in _shortened(word):
                self._shortened[key].add(number)
        return self._numbers[word]

    def _find_alike(self, word: str) -> frozenset[int]:
        """The numbers of the words that are `word`, or one slip away from it."""
        if len(word) > LONGEST_WORD:
            return frozenset()
        candidates: set[int] = set()
        for key in _shortened(word):
            if key in self._shortened:
                candidates |= self._shortened[key]
        return frozenset(n for n in candidates if self._is_near(word, n))

    def _is_near(self, word: str, number: int) -> bool:
        from rapidfuzz.distance import OSA

        known = self._spelt[number]
        return word == known or (
            len(known) >= LONG_WORD and OSA.distance(word, known, score_cutoff=1) <= 1
        )


class NearNames:
    """The names of two words or more, and long single ones, found in spite of slips."""

    def __init__(self, owners: Mapping[str, set[int]]) -> None:
        self._words = NearWords()
        self._names: dict[tuple[int, ...], set[int]] = defaultdict(set)
        self._starts: set[tuple[int, ...]] = set()
        for spelling, own in owners.items():
            words = WORDS.findall(spelling)
            if any(map(str.isdigit, spelling)):
                continue  # what is left of a date, say, without its figures is anybody's
            if sum(map(len, words)) >= NEAR_LETTERS and len(words) <= 6:
                self._add(words, own)

    def _add(self, words: Sequence[str], owners: set[int]) -> None:
        name = tuple(self._words.number(word) for word in words)
        self._names[name] |= owners
        self._starts.update(name[:length] for length in range(1, len(name) + 1))

    def owners(self, words: Sequence[str]) -> Iterator[set[int]]:
        """The owners of each name that occurs, nearly, in the words of a folded text."""
        if not self._names:
            return
        alike = [self._words.alike(word) for word in words]
        for at, numbers in enumerate(alike):
            if numbers:
                yield from self._from(words, alike, at)

    def _from(
        self, words: Sequence[str], alike: Sequence[frozenset[int]], first: int
    ) -> Iterator[set[int]]:
        """The owners of the names that begin at the word `first`."""
        begun: list[tuple[int, ...]] = [
            (number,) for number in alike[first] if (number,) in self._starts
        ]
        at = first
        while begun:
            for name in begun:
                if name in self._names:
                    yield self._names[name]
            at += 1
            if at + 1 < len(words) and len(words[at]) == 1 and not alike[at]:
                at += 1  # an initial
            if at >= len(words):
                return
            longer = [(*name, number) for name in begun for number in alike[at]]
            begun = [name for name in longer if name in self._starts]


def _shortened(word: str) -> Iterator[str]:
    """The word, and where it is long enough for a slip each way of leaving out one letter."""
    yield word
    if len(word) >= LONG_WORD - 1:
        for at in range(len(word)):
            yield word[:at] + word[at + 1 :]
