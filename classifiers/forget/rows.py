"""The rows that a forget classifier is trained and judged on, as serving would read them.

Serving scores a text's views, windows and sentences by themselves, and the highest counts. So does
training: of a harmless row every piece is harmless; of a forget row the whole is to be found, and
its pieces only count when it is judged.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.forget.head import Labels
from classifiers.prompts.augmentation import disguise, name_prompts
from classifiers.prompts.files import Prompt
from classifiers.prompts.strangers import swap_details, swap_names
from guard.screening.cutting.pieces import Pieces
from guard.screening.views.view import ViewLimits
from guard.terms.detector import Features, Scores

Mask = NDArray[np.bool_]
Kind = Literal["plain", "disguised", "swapped"]
MOST_PIECES = 4
"""Pieces of one row; more of a long text say little more."""
LONGEST_COMPANION = 300


@dataclass(frozen=True, slots=True)
class Copies:
    """How many versions of each prompt are made, and the seed of all of them."""

    forget: int = 4
    retain: int = 1
    swapped: int = 4
    names: int = 4
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Rows:
    """Texts, labels (1 forget), groups and kinds: prompts, their disguises, and swapped ones."""

    texts: list[str] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    kinds: list[Kind] = field(default_factory=list)

    def add(self, prompts: Sequence[Prompt], label: int, kind: Kind) -> None:
        """Add prompts of one label and kind."""
        for prompt in prompts:
            self.texts.append(prompt.text)
            self.labels.append(label)
            self.groups.append(prompt.group)
            self.kinds.append(kind)

    def with_rows(self, other: "Rows") -> "Rows":
        """These rows and the other ones behind them."""
        return Rows(
            self.texts + other.texts,
            self.labels + other.labels,
            self.groups + other.groups,
            self.kinds + other.kinds,
        )

    def take(self, chosen: Mask) -> "Rows":
        """Those that a mask (n,) chooses."""
        at = np.flatnonzero(chosen)
        return Rows(
            [self.texts[row] for row in at],
            [self.labels[row] for row in at],
            [self.groups[row] for row in at],
            [self.kinds[row] for row in at],
        )

    def pieces(self) -> list[tuple[str, ...]]:
        """Of each row the texts that serving scores, the whole first."""
        return [served_pieces(text) for text in self.texts]


def harmless_rows(retain: Sequence[Prompt], copies: Copies) -> Rows:
    """Retain prompts and their disguises: the same for every request that is given them."""
    rows = Rows()
    rows.add(retain, 0, "plain")
    rows.add(disguise(retain, copies.retain, companions(retain), copies.seed), 0, "disguised")
    return rows


def request_rows(
    forget: Sequence[Prompt],
    names: Sequence[str],
    lone: Sequence[str],
    company: Sequence[str],
    copies: Copies,
) -> Rows:
    """Forget prompts, their disguises, prompts of the names, and the same about others.

    `lone` are last names that are asked for by themselves.
    """
    rows = Rows()
    rows.add(forget, 1, "plain")
    rows.add(disguise(forget, copies.forget, company, copies.seed), 1, "disguised")
    rows.add(name_prompts([*names, *lone], copies.names, copies.seed), 1, "disguised")
    rows.add(swap_names(forget, names, copies.swapped, copies.seed), 0, "swapped")
    rows.add(swap_details(forget, copies.swapped // 2, copies.seed), 0, "swapped")
    return rows


def companions(retain: Sequence[Prompt]) -> list[str]:
    """The harmless questions that composites are made with."""
    return [prompt.text for prompt in retain if len(prompt.text) <= LONGEST_COMPANION]


def served_pieces(text: str) -> tuple[str, ...]:
    """The texts that serving scores for a prompt: itself, its windows, views and sentences."""
    found = Pieces((text,), ((0,),)).cut(ViewLimits()).with_sentences().texts
    if len(found) <= MOST_PIECES:
        return found
    chosen = np.linspace(0, len(found) - 1, MOST_PIECES).astype(int)
    return tuple(found[index] for index in chosen)


@dataclass(frozen=True, slots=True)
class Encoded:
    """Rows with their pieces' features: `features` (p, width), `starts` (n,) of each row's first.

    `named` (n,): whether a name stands in the row.
    """

    rows: Rows
    features: Features
    starts: NDArray[np.int_]
    named: Mask

    @property
    def labels(self) -> Labels:
        """Labels of the rows, shape (n,)."""
        return np.array(self.rows.labels)

    @property
    def owners(self) -> NDArray[np.int_]:
        """Each piece's row, shape (p,)."""
        counts = np.diff(np.append(self.starts, len(self.features)))
        return np.repeat(np.arange(len(self.starts)), counts)

    @property
    def taught(self) -> Mask:
        """The pieces that a head is fitted on, shape (p,)."""
        whole = np.zeros(len(self.features), dtype=np.bool_)
        whole[self.starts] = True
        return np.asarray(whole | (self.labels[self.owners] == 0))

    def kind(self, kind: Kind) -> Mask:
        """The rows of a kind, shape (n,)."""
        return np.array([own == kind for own in self.rows.kinds], dtype=np.bool_)

    def highest(self, scores: Scores) -> Scores:
        """Each row's highest score, shape (n,), of its pieces' (p,)."""
        return np.asarray(np.maximum.reduceat(scores, self.starts))

    def take(self, chosen: Mask) -> "Encoded":
        """Some of the rows."""
        pieces = chosen[self.owners]
        counts = np.diff(np.append(self.starts, len(self.features)))[chosen]
        starts = np.asarray(np.cumsum(counts) - counts, dtype=np.int_)
        return Encoded(self.rows.take(chosen), self.features[pieces], starts, self.named[chosen])


def join(first: Encoded, second: Encoded) -> Encoded:
    """The rows of both."""
    return Encoded(
        first.rows.with_rows(second.rows),
        np.concatenate([first.features, second.features]),
        np.concatenate([first.starts, second.starts + len(first.features)]),
        np.concatenate([first.named, second.named]),
    )
