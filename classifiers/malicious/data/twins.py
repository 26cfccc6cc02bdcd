"""Hard benign twins: harmless prompts with safety words, each beside a malicious counterpart.

A family is a set of templates used for both labels; only the filling of one slot decides, so
neither a word ("kill", "inject", "ignore previous") nor a form (a question, a persona, a document
with a task) gives the label away. Malicious prompts are short, generic requests without
operational detail. Families belong to one of two halves, `train` and `held_out`, that share no
template and no filling: a model trained on one half is measured on the other.

    families("train")                     the families of a half
    twins("held_out", 500, seed=0)        500 benign and 500 malicious rows
    twin_pairs("held_out", 500, seed=0)   the same, each benign row with its counterpart

Rows are `LabelledPrompt`s with `source="twins"` and the family's name as `kind`; kinds of other
languages begin with their code (`de_poison`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import Any

import numpy as np

from classifiers.malicious.data.templates import FRAMES, Half, check_half, combinations, fill, load
from classifiers.prompts.labelled import LabelledPrompt

SOURCE = "twins"
FILES = ("twins", "twins_languages")

TwinPair = tuple[LabelledPrompt, LabelledPrompt]


@dataclass(frozen=True, slots=True)
class TwinFamily:
    """Templates, and what fills their slot {x}: `benign` or `malicious`, of equal number."""

    name: str
    half: Half
    language: str
    templates: tuple[str, ...]
    benign: tuple[str, ...]
    malicious: tuple[str, ...]
    shared: Mapping[str, tuple[str, ...]]

    def pairs(self, seed: int) -> Iterator[TwinPair]:
        """Every distinct pair of the family, in an order that depends on `seed` and name."""
        rng = np.random.default_rng([seed, *self.name.encode()])
        forms = [
            frame.replace("{}", fill(template, values))
            for frame in FRAMES[self.language, self.half]
            for template in self.templates
            for values in combinations(self.shared)
        ]
        # Each filling meets a counterpart other than the one beside it in the list.
        shift = int(rng.integers(1, len(self.benign)))
        for number in rng.permutation(len(forms) * len(self.benign)):
            form, index = divmod(int(number), len(self.benign))
            other = (index + shift) % len(self.malicious)
            yield (
                self._row(forms[form], self.benign[index], "benign"),
                self._row(forms[form], self.malicious[other], "malicious"),
            )

    @property
    def size(self) -> int:
        """How many distinct pairs there are."""
        forms = len(FRAMES[self.language, self.half]) * len(self.templates)
        return forms * len(combinations(self.shared)) * len(self.benign)

    def _row(self, form: str, filling: str, label: Any) -> LabelledPrompt:
        return LabelledPrompt(fill(form, {"x": filling}), SOURCE, label, self.name)


def families(half: Half) -> tuple[TwinFamily, ...]:
    """The families of a half, English first."""
    check_half(half)
    return tuple(family for family in _families() if family.half == half)


def twin_pairs(
    half: Half, pairs: int, seed: int, *, languages: Sequence[str] | None = None
) -> list[TwinPair]:
    """`pairs` distinct pairs (benign, malicious), spread evenly over the families.

    `languages` restricts them to some of en, de, es, fr and zh. The same arguments give the same
    pairs, and more pairs begin with the same. Raises ValueError when there are not that many.
    """
    chosen = [f for f in families(half) if languages is None or f.language in languages]
    most = sum(family.size for family in chosen)
    if pairs > most:
        raise ValueError(f"{pairs} pairs of twins asked for, the {half} half has {most}")
    found: list[TwinPair] = []
    for turn in zip_longest(*(family.pairs(seed) for family in chosen)):
        found.extend(pair for pair in turn if pair is not None)
        if len(found) >= pairs:
            break
    return found[:pairs]


def twins(
    half: Half, pairs: int, seed: int, *, languages: Sequence[str] | None = None
) -> list[LabelledPrompt]:
    """The rows of `twin_pairs`, each benign one followed by its malicious counterpart."""
    return [row for pair in twin_pairs(half, pairs, seed, languages=languages) for row in pair]


@cache
def _families() -> tuple[TwinFamily, ...]:
    return tuple(_family(name, entry) for file in FILES for name, entry in load(file).items())


def _family(name: str, entry: Mapping[str, Any]) -> TwinFamily:
    return TwinFamily(
        name=name,
        half=entry["half"],
        language=entry.get("language", "en"),
        templates=tuple(entry["templates"]),
        benign=tuple(entry["benign"]),
        malicious=tuple(entry["malicious"]),
        shared={slot: tuple(values) for slot, values in entry.get("shared", {}).items()},
    )
