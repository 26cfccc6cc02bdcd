"""Names of many forget requests found in a text in one pass, as people write and mistype them.

Three finders, all independent of how many names there are:

- exact: all spellings of all names in one Aho-Corasick pass over the folded text, as whole words.
  Spellings are the name, 'Last, First', and the name with its hyphens closed up or itself written
  as one word. Case, accents, possessives, and the kind of dash do not matter.
- lone: a last name by itself. It does not count where it is part of another person's name: where a
  capitalised word that is no word of the owner's names, no title and no beginning of a sentence
  stands before it, or any other capitalised word behind it.
- near: names of `NEAR_LETTERS` letters or more and without a digit, word by word. Each word of at
  least `LONG_WORD` letters may have one slip (a letter too many, too few, wrong, or two neighbours
  swapped), shorter ones none, and an initial may stand between. Slips are found through the words
  with one letter left out (as in SymSpell), which both sides share, and checked by their distance.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from guard.detectors.names.lone_names import LoneNames
from guard.detectors.names.phrases import fold, is_bounded

NEAR_LETTERS = 9
"""Shorter names are matched exactly: too many others are one slip away."""
LONG_WORD = 5
"""Words of a name with fewer letters are matched exactly."""
LONGEST_WORD = 40
REMEMBERED_WORDS = 1 << 14

_WORDS = re.compile(r"[^\W\d_]+(?:'(?!s\b)[^\W\d_]+)*")


class NameIndex:
    """Finds which owners' names occur in a text; owners are numbered as they are given."""

    def __init__(
        self, names: Sequence[Iterable[str]], lone: Sequence[Iterable[str]] | None = None
    ) -> None:
        """`names[i]` are the names and aliases of owner i, `lone[i]` those last names of theirs
        that count by themselves; an owner may have none."""
        from ahocorasick_rs import AhoCorasick, MatchKind

        owners: dict[str, set[int]] = defaultdict(set)
        for owner, own in enumerate(names):
            for name in own:
                for spelling in spellings(name):
                    owners[spelling].add(owner)
        self._near = _NearNames(owners)
        self._lone = LoneNames(names, lone) if lone else None
        every = list(dict.fromkeys((*owners, *(self._lone.spellings if self._lone else ()))))
        self._owners = [frozenset(owners.get(spelling, ())) for spelling in every]
        self._spelt = every
        self._exact = AhoCorasick(every, matchkind=MatchKind.Standard) if every else None

    def owners(self, text: str) -> frozenset[int]:
        """The owners of the names that occur in `text`."""
        if self._exact is None:
            return frozenset()
        folded = fold(text)
        found: set[int] = set()
        lone: set[str] = set()
        for index, start, end in self._exact.find_matches_as_indexes(folded, overlapping=True):
            if is_bounded(folded, start, end):
                found |= self._owners[index]
                lone.add(self._spelt[index])
        if self._lone and lone:
            found |= self._lone.owners(text, lone)
        return frozenset(found.union(*self._near.owners(folded)))


def spellings(name: str) -> tuple[str, ...]:
    """The folded ways to write a name that all count as the name itself."""
    plain = fold(name)
    if not plain:
        return ()
    words = name.replace(",", " ").split()
    ways = [plain, fold("".join(re.split(r"[-\u2010-\u2015]", name)))]
    if 2 <= len(words) <= 5 and _is_capitalised(words):
        turned = [words[-1], *words[:-1]]
        ways += [fold(f"{turned[0]}, {' '.join(turned[1:])}"), fold(" ".join(turned))]
        ways.append(fold("".join(words)).replace(" ", ""))
    return tuple(dict.fromkeys(way for way in ways if len(way) > 1))


def _is_capitalised(words: Sequence[str]) -> bool:
    """Whether this is a person's or a place's name: only those are turned round."""
    return words[0][:1].isupper() and words[-1][:1].isupper()


class _NearNames:
    """The names of two words or more, and long single ones, found in spite of slips."""

    def __init__(self, owners: dict[str, set[int]]) -> None:
        self._words: dict[str, int] = {}
        self._spelt: list[str] = []
        self._shortened: dict[str, set[int]] = defaultdict(set)
        self._names: dict[tuple[int, ...], set[int]] = defaultdict(set)
        self._starts: set[tuple[int, ...]] = set()
        # Most words of a text were met before.
        self._alike = lru_cache(REMEMBERED_WORDS)(self._find_alike)
        for spelling, own in owners.items():
            words = _WORDS.findall(spelling)
            if any(map(str.isdigit, spelling)):
                continue  # what is left of a date, say, without its figures is anybody's
            if sum(map(len, words)) >= NEAR_LETTERS and len(words) <= 6:
                self._add(words, own)

    def _add(self, words: Sequence[str], owners: set[int]) -> None:
        name = tuple(self._number(word) for word in words)
        self._names[name] |= owners
        self._starts.update(name[:length] for length in range(1, len(name) + 1))

    def _number(self, word: str) -> int:
        if word not in self._words:
            number = self._words[word] = len(self._spelt)
            self._spelt.append(word)
            for key in _shortened(word):
                self._shortened[key].add(number)
        return self._words[word]

    def owners(self, folded: str) -> Iterator[set[int]]:
        """The owners of each name that occurs, nearly, in a folded text."""
        if not self._names:
            return
        words = _WORDS.findall(folded)
        alike = [self._alike(word) for word in words]
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

    def _find_alike(self, word: str) -> frozenset[int]:
        """The numbers of the names' words that are `word`, or one slip away from it."""
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


def _shortened(word: str) -> Iterator[str]:
    """The word, and where it is long enough for a slip each way of leaving out one letter."""
    yield word
    if len(word) >= LONG_WORD - 1:
        for at in range(len(word)):
            yield word[:at] + word[at + 1 :]
