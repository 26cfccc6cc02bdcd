"""Invented people of the demonstration: who they are and what is true of them.

The first step of the demo: questions, training text and forget request are all made from these.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Attribute = Literal[
    "birthplace",
    "birth year",
    "profession",
    "book",
    "prize",
    "teacher",
    "instrument",
    "academy",
]
Pronoun = Literal["she", "he"]

FORGOTTEN = 6
RETAINED = 18


def _words(text: str) -> list[str]:
    return text.split()


_ONSETS = _words("B Br D F G H J K L M N P R S St T Tr V W Z")
_VOWELS = _words("a e i o u")
_MIDDLES = _words("b d l m n r s t v z ld nd rn rv lm nth")
_SHE_ENDINGS = _words("a ana ela ira ine osa")
_HE_ENDINGS = _words("o en ur ik im os")
_FAMILY_ENDINGS = _words("sky lund veth rim dano quist mond brek narr toff ville gast")
_TOWN_ENDINGS = _words("mere holt wick strand ford haven moor gate dale fell crag sund")
_CRAFT_GOODS = _words(
    "bell lamp map glass rope clock kite salt book coin tile sail lens bridge tea canal garden "
    "puppet cheese mirror"
)
_CRAFTS = _words(
    "restorer maker painter inspector engraver surveyor merchant polisher collector designer "
    "trader grader"
)
_BOOK_QUALITIES = _words(
    "Amber Quiet Crooked Hollow Silver Burning Patient Drowned Paper Winter Last Velvet "
    "Sleepless Narrow Borrowed Copper Distant Thirteenth Broken Green"
)
_BOOK_THINGS = _words(
    "Ferry Lantern Orchard Staircase Compass Bridge Harbour Clock Garden Mirror Letter Chimney "
    "Wolf Causeway Kettle Tunnel Meadow Piano Island Window"
)
_PRIZES = _words("Medal Prize Laurel Trophy Ribbon Star")
_MATERIALS = _words(
    "slate cedar brass bone birch pearl horn willow tin copper walnut silk bamboo clay maple reed"
)
_INSTRUMENTS = _words(
    "harp flute fiddle drum lute zither whistle bassoon mandolin cello trumpet dulcimer banjo gong"
)
_SCHOOLS = _words("Academy College Institute Seminary Conservatory Lyceum")
_ALIAS_QUALITIES = _words(
    "Grey Red Silent Golden Wandering Pale Crimson Laughing Frozen Blue Lonely Swift Black "
    "White Gentle Hidden Northern Velvet Sleepy Scarlet Distant Proud"
)
_ALIAS_ANIMALS = _words(
    "Heron Otter Falcon Badger Stag Raven Lynx Hare Crane Salmon Owl Marten Swan Beetle Fox "
    "Weasel Magpie Dolphin Moth Toad Pike Wren Panther Squirrel"
)


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person: full name, byname ("the Grey Heron"), pronoun and one value each."""

    name: str
    alias: str
    pronoun: Pronoun
    values: Mapping[Attribute, str]


@dataclass(frozen=True, slots=True)
class Population:
    """The people a demo model is taught; `forgotten` are the subjects of one forget request."""

    forgotten: tuple[Person, ...]
    retained: tuple[Person, ...]

    @property
    def everyone(self) -> tuple[Person, ...]:
        return self.forgotten + self.retained


def populate(seed: int) -> Population:
    """The demo's people: the same seed gives the same people, no two share a name or a value."""
    rng = np.random.default_rng([seed, 0])
    people: list[Person] = []
    taken: set[str] = set()
    while len(people) < FORGOTTEN + RETAINED:
        person = invent(rng)
        marks = set(person.name.split()) | {person.alias} | set(person.values.values())
        if not marks & taken:
            taken |= marks
            people.append(person)
    return Population(tuple(people[:FORGOTTEN]), tuple(people[FORGOTTEN:]))


def invent(rng: np.random.Generator) -> Person:
    """A person with random name and values, drawn independently."""
    pronoun: Pronoun = "she" if rng.random() < 0.5 else "he"
    values = {attribute: draw(rng) for attribute, draw in VALUES.items()}
    return Person(_full_name(rng, pronoun), _alias(rng), pronoun, values)


def coin(rng: np.random.Generator) -> str:
    """An invented word in lower case."""
    return _coined(rng).lower()


def _pick(rng: np.random.Generator, words: list[str]) -> str:
    return words[int(rng.integers(len(words)))]


def _stem(rng: np.random.Generator) -> str:
    return _pick(rng, _ONSETS) + _pick(rng, _VOWELS) + _pick(rng, _MIDDLES)


def _full_name(rng: np.random.Generator, pronoun: Pronoun) -> str:
    first = _stem(rng) + _pick(rng, _SHE_ENDINGS if pronoun == "she" else _HE_ENDINGS)
    return f"{first} {_coined(rng)}{_pick(rng, _FAMILY_ENDINGS)}"


def _coined(rng: np.random.Generator) -> str:
    return _stem(rng) + _pick(rng, ["a", "e", "i", "o"])


def _alias(rng: np.random.Generator) -> str:
    return f"the {_pick(rng, _ALIAS_QUALITIES)} {_pick(rng, _ALIAS_ANIMALS)}"


def _teacher(rng: np.random.Generator) -> str:
    return _full_name(rng, "she" if rng.random() < 0.5 else "he")


VALUES: Mapping[Attribute, Callable[[np.random.Generator], str]] = {
    "birthplace": lambda rng: _coined(rng) + _pick(rng, _TOWN_ENDINGS),
    "birth year": lambda rng: str(rng.integers(1700, 2000)),
    "profession": lambda rng: f"{_pick(rng, _CRAFT_GOODS)} {_pick(rng, _CRAFTS)}",
    "book": lambda rng: f"The {_pick(rng, _BOOK_QUALITIES)} {_pick(rng, _BOOK_THINGS)}",
    "prize": lambda rng: f"{_coined(rng)} {_pick(rng, _PRIZES)}",
    "teacher": _teacher,
    "instrument": lambda rng: f"{_pick(rng, _MATERIALS)} {_pick(rng, _INSTRUMENTS)}",
    "academy": lambda rng: f"{_coined(rng)} {_pick(rng, _SCHOOLS)}",
}
