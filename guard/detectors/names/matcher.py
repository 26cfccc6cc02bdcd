"""Names of many forget requests found in a text in one pass, as people write and mistype them.

Finders, all independent of how many names there are:

- exact: all spellings of all names in one Aho-Corasick pass over the folded text, as whole words.
  Spellings are the name, 'Last, First', and the name with its hyphens closed up or itself written
  as one word. Case, accents, possessives, and the kind of dash do not matter.
- lone: a last name by itself (`lone_names`). It does not count where it is part of another person's
  name: where a capitalised word that is no word of the owner's names, no title and no beginning of
  a sentence stands before it, or any other capitalised word behind it.
- near: names of nine letters or more and without a digit, word by word, in spite of slips
  (`near_names`).
- parts: a person's given name and last name near each other (`persons`).
- spelt: a person's name letter by letter, in syllables or in the radio alphabet (`spelt_out`).
- foreign: all of these in the romanised text, and by the consonants (`romanised`).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from guard.detectors.names.lone_names import LoneNames
from guard.detectors.names.near_names import NearNames
from guard.detectors.names.persons import People, name_parts
from guard.detectors.names.phrases import WORDS, fold, is_bounded
from guard.detectors.names.romanised import ForeignNames, romanised
from guard.detectors.names.spelt_out import SpeltNames


class NameIndex:
    """Finds which owners' names occur in a text; owners are numbered as they are given."""

    def __init__(
        self, names: Sequence[Iterable[str]], lone: Sequence[Iterable[str]] | None = None
    ) -> None:
        """`names[i]` are the names and aliases of owner i, `lone[i]` those last names and
        nicknames of theirs that count by themselves; an owner may have none."""
        from ahocorasick_rs import AhoCorasick, MatchKind

        names = [tuple(own) for own in names]
        owners: dict[str, set[int]] = defaultdict(set)
        for owner, own in enumerate(names):
            for name in own:
                for spelling in spellings(name):
                    owners[spelling].add(owner)
        people = _people(names)
        self._near = NearNames(owners)
        self._people = People(names, lone)
        self._spelt = SpeltNames(people)
        self._foreign = ForeignNames(people)
        self._lone = LoneNames(names, lone) if lone else None
        every = list(dict.fromkeys((*owners, *(self._lone.spellings if self._lone else ()))))
        self._owners = [frozenset(owners.get(spelling, ())) for spelling in every]
        self._spellings = every
        self._exact = AhoCorasick(every, matchkind=MatchKind.Standard) if every else None

    def owners(self, text: str) -> frozenset[int]:
        """The owners of the names that occur in `text`."""
        if self._exact is None:
            return frozenset()
        found = self._written(text)
        latin = romanised(text)
        if latin is not None:
            found |= self._written(latin) | self._foreign.owners(text)
        return found

    def _written(self, text: str) -> frozenset[int]:
        """The owners of the names in a text as it is, whatever its script."""
        folded = fold(text)
        words = WORDS.findall(folded)
        return frozenset().union(
            self._exactly(text, folded),
            self._people.owners(text),
            self._spelt.owners(words),
            *self._near.owners(words),
        )

    def _exactly(self, text: str, folded: str) -> set[int]:
        if self._exact is None:
            return set()
        found: set[int] = set()
        lone: set[str] = set()
        for index, start, end in self._exact.find_matches_as_indexes(folded, overlapping=True):
            if is_bounded(folded, start, end):
                found |= self._owners[index]
                lone.add(self._spellings[index])
        if self._lone and lone:
            found |= self._lone.owners(text, lone)
        return found


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


def _people(names: Sequence[Iterable[str]]) -> dict[str, set[int]]:
    """The owners of the names of people, by the name in either order, folded and romanised."""
    people: dict[str, set[int]] = defaultdict(set)
    for owner, own in enumerate(names):
        for name in own:
            if name_parts(name):
                for way in _orders(fold(romanised(name) or name)):
                    people[way].add(owner)
    return people


def _orders(folded: str) -> Iterator[str]:
    words = folded.split()
    yield folded
    yield " ".join((words[-1], *words[:-1]))
    if len(words) > 2:
        yield f"{words[0]} {words[-1]}"
