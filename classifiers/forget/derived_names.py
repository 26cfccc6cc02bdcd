"""Aliases that follow from a request's names: what of a person's name can stand alone.

Nobody asks for 'Ilse Varnholt' twice; the second time it is 'Varnholt'. A last name is served as a
lone name (`guard.detectors.names.lone_names`): it counts only where no stranger's first name stands
before it. It is derived only where it is no common name and stands in no retain prompt by itself.
So is a given name that hardly anybody else has: one of at least `RARE_TOKENS` of the encoder's
tokens.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pydantic import JsonValue

from guard.detectors.names.matcher import NameIndex, spellings
from guard.detectors.names.phrases import fold

SHORTEST = 4
"""Letters of a last name, or of a given one."""
RARE_TOKENS = 3
# Last names shared by millions: any of them points to nobody.
COMMON = frozenset(
    (
        *("smith", "johnson", "williams", "brown", "jones", "garcia", "miller", "davis", "wilson"),
        *("anderson", "thomas", "taylor", "moore", "jackson", "martin", "thompson", "white"),
        *("harris", "clark", "lewis", "robinson", "walker", "young", "allen", "king", "wright"),
        *("scott", "hill", "green", "adams", "baker", "hall", "rivera", "campbell", "mitchell"),
        *("carter", "roberts", "evans", "turner", "parker", "edwards", "collins", "stewart"),
        *("morris", "murphy", "cook", "rogers", "morgan", "cooper", "bailey", "bell", "ward"),
        *("gray", "james", "watson", "brooks", "wood", "bennett", "hughes", "price", "long"),
        *("rodriguez", "martinez", "hernandez", "lopez", "gonzalez", "perez", "sanchez", "ramirez"),
        *("torres", "flores", "gomez", "diaz", "cruz", "morales", "ortiz", "castro", "silva"),
        *("santos", "pereira", "oliveira", "costa", "ferreira", "rossi", "russo", "ferrari"),
        *("romano", "muller", "schmidt", "schneider", "fischer", "weber", "meyer", "wagner"),
        *("becker", "schulz", "hoffmann", "dubois", "durand", "bernard", "petit", "moreau"),
        *(
            "laurent",
            "simon",
            "ivanov",
            "petrov",
            "smirnov",
            "kowalski",
            "nowak",
            "novak",
            "horvath",
        ),
        *("hansen", "johansen", "olsen", "larsen", "andersson", "johansson", "nilsson", "jensen"),
        *("nielsen", "pedersen", "chen", "wang", "zhang", "yang", "zhao", "huang", "zhou"),
        *("nguyen", "tran", "park", "choi", "jung", "kang", "tanaka", "suzuki", "sato"),
        *(
            "watanabe",
            "nakamura",
            "kobayashi",
            "khan",
            "singh",
            "kumar",
            "patel",
            "sharma",
            "gupta",
        ),
        *("ahmed", "hussain", "hassan", "mohamed", "mahmoud", "ibrahim", "okafor", "mensah"),
    )
)
_PARTICLES = frozenset(
    ("van", "von", "de", "da", "del", "della", "di", "la", "le", "al", "bin", "ben")
)
_GENERATION = re.compile(r"(?:jr|sr|i{2,3}|iv)\.?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Derived:
    """Lone names that can be served, and how many were left out, by reason."""

    lone: tuple[str, ...]
    common: int
    in_retain: int

    def report(self) -> dict[str, JsonValue]:
        """How many, by outcome; no name is in it."""
        return {"served": len(self.lone), "common": self.common, "in_retain": self.in_retain}


@runtime_checkable
class Vocabulary(Protocol):
    """An encoder with a vocabulary: what is one token of it is a frequent word."""

    def count_tokens(self, text: str) -> int:
        """Tokens of a text."""
        ...


def derive_names(names: Sequence[str], retain: Sequence[str], encoder: object = None) -> Derived:
    """The last names, and rare given ones, of `names` that bring no false positive on the `retain`
    prompts.

    An `encoder` with a vocabulary tells which names are common; without one no given name is rare.
    """
    known = {spelling for name in names for spelling in spellings(name)}
    lasts = {name: last for name in names if (last := _last_name(name))}
    rare = (name.split()[0] for name in lasts if _is_rare(name.split()[0], encoder))
    candidates = dict.fromkeys((*lasts.values(), *rare))
    unusual = [last for last in candidates if not _is_common(fold(last), known, encoder)]
    common = len(candidates) - len(unusual)
    index = NameIndex([()] * len(unusual), [(last,) for last in unusual])
    found = {owner for text in retain for owner in index.owners(text)}
    kept = tuple(last for at, last in enumerate(unusual) if at not in found)
    return Derived(kept, common, len(found))


def _is_common(last: str, known: Collection[str], encoder: object) -> bool:
    frequent = isinstance(encoder, Vocabulary) and encoder.count_tokens(last) == 1
    return frequent or last in COMMON or last in known


def _is_rare(given: str, encoder: object) -> bool:
    if not isinstance(encoder, Vocabulary) or sum(map(str.isalpha, given)) < SHORTEST:
        return False
    return encoder.count_tokens(given) >= RARE_TOKENS


def _last_name(name: str) -> str | None:
    """The last word of a person's name, with what belongs to it ('van Gogh'); else None."""
    words = [word for word in name.replace(",", " ").split() if not _GENERATION.fullmatch(word)]
    if not 2 <= len(words) <= 5 or not all(_is_written_as_a_name(word) for word in words):
        return None
    last = words[-1]
    if len(words) > 2 and words[-2].lower() in _PARTICLES:
        last = f"{words[-2]} {last}"
    return last if sum(map(str.isalpha, last)) >= SHORTEST else None


def _is_written_as_a_name(word: str) -> bool:
    return word[0].isupper() or word.lower() in _PARTICLES
