"""Quotes: runs of words that are known, with small gaps."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from guard.detectors.verbatim.grams import (
    RUN,
    STRETCH,
    exact_hashes,
    run_hashes,
    skip_hashes,
    words_of,
)
from guard.detectors.verbatim.membership import Membership

GAP = 3
"""Words between two known stretches that do not end a quote."""


class Quote(NamedTuple):
    """A quote's words, and where it begins and ends in the text."""

    words: int
    start: int
    end: int


class Quotes:
    """Finds quotes of known texts, and exact strings of `lengths` words each."""

    def __init__(
        self,
        texts: Membership,
        exact: Membership | None = None,
        lengths: Sequence[int] = (),
    ) -> None:
        self._texts = texts
        self._exact = exact
        self._lengths = tuple(lengths)

    def found(self, text: str) -> list[Quote]:
        """All quotes of known texts, however short, in order."""
        words = words_of(text)
        count = len(words.places)
        runs = self._texts.known(run_hashes(words.hashes))
        skips = self._texts.known(skip_hashes(words.hashes))
        covered = _covered(runs, RUN, count) | _covered(skips, STRETCH, count)
        return [
            Quote(last - first, words.places[first][0], words.places[last - 1][1])
            for first, last in _runs(covered)
        ]

    def exact(self, text: str) -> list[Quote]:
        """The exact strings in a text."""
        if self._exact is None or not self._lengths:
            return []
        words = words_of(text)
        return [
            Quote(length, words.places[first][0], words.places[first + length - 1][1])
            for length in self._lengths
            for first in np.flatnonzero(self._exact.known(exact_hashes(words.hashes, length)))
        ]


def _covered(known: NDArray[np.bool_], size: int, count: int) -> NDArray[np.bool_]:
    """The words, shape (count,), that lie in a known stretch of `size`."""
    edges = np.zeros(count + 1, dtype=np.int64)
    starts = np.flatnonzero(known)
    np.add.at(edges, starts, 1)
    np.add.at(edges, starts + size, -1)
    return np.cumsum(edges[:-1]) > 0


def _runs(covered: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first word and the one behind the last of each run; small gaps belong to it."""
    places = np.flatnonzero(covered)
    if not len(places):
        return []
    breaks = np.flatnonzero(np.diff(places) > GAP + 1)
    firsts = places[np.concatenate([[0], breaks + 1])]
    lasts = places[np.concatenate([breaks, [len(places) - 1]])]
    return list(zip(firsts.tolist(), (lasts + 1).tolist(), strict=True))
