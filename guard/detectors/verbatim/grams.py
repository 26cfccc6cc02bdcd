"""Texts as hashes of neighbouring words, which small changes leave alone.

At each word two hashes begin. One sums up `RUN` words whatever their order, so words that changed
places make no difference. The other sums up every second of a stretch of words, so that each
second word may be another one. Both are sums modulo 2^64 of the words' own hashes, so all of a
text's are found in one pass.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from guard.detectors.names.phrases import fold

RUN = 6
"""Words of a hash in any order."""
SKIPS = 5
"""Words of a hash of every second word."""
STRETCH = 2 * SKIPS - 1

Hashes = NDArray[np.uint64]

# A word; a sign of a script without spaces is one, for there words have no borders.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff"
_LETTERS = f"[^\\W_{_UNSPACED}]+"
_WORD = re.compile(f"[{_UNSPACED}]|{_LETTERS}(?:['\u2019]{_LETTERS})*")
_APART = np.uint64(0x9E3779B97F4A7C15)
_BASE = 0xD6E8FEB86659FD93
_MODULUS = 1 << 64


class Words(NamedTuple):
    """The words of a text: their hashes, shape (n,), and where each begins and ends in it."""

    hashes: Hashes
    places: tuple[tuple[int, int], ...]


def words_of(text: str) -> Words:
    """The words of a text, whatever their case, accents and the signs between them."""
    found = list(_WORD.finditer(text))
    hashes = np.fromiter((_hash(match.group()) for match in found), dtype=np.uint64)
    return Words(hashes, tuple(match.span() for match in found))


@lru_cache(1 << 17)
def _hash(word: str) -> int:
    data = fold(word).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little")


def run_hashes(words: Hashes) -> Hashes:
    """The hash of each `RUN` neighbouring words, shape (max(0, n - RUN + 1),)."""
    return mixed(_window_sums(words, RUN))


def skip_hashes(words: Hashes) -> Hashes:
    """The hash of every second word of each stretch, shape (max(0, n - STRETCH + 1),)."""
    if len(words) < STRETCH:
        return np.empty(0, dtype=np.uint64)
    sums = np.empty(len(words) - STRETCH + 1, dtype=np.uint64)
    for first in (0, 1):
        sums[first::2] = _window_sums(words[first::2], SKIPS)[: len(sums[first::2])]
    return mixed(sums * _APART + np.uint64(1))


def exact_hashes(words: Hashes, count: int) -> Hashes:
    """The hash of each `count` neighbouring words in order, shape (max(0, n - count + 1),)."""
    if len(words) < count:
        return np.empty(0, dtype=np.uint64)
    powers = _powers(_BASE, len(words))
    inverse = _powers(pow(_BASE, -1, _MODULUS), len(words))
    sums = _window_sums(words * powers, count)
    return mixed(sums * inverse[: len(sums)])


def gram_hashes(text: str) -> Hashes:
    """All hashes of a text of which its quotes are known."""
    words = words_of(text).hashes
    return np.concatenate([run_hashes(words), skip_hashes(words)])


def chunks(texts: Iterable[str], size: int = 1 << 20) -> Iterator[str]:
    """Texts in pieces of `size` characters that overlap, so that no hash is lost at a border."""
    overlap = 4096
    for text in texts:
        for start in range(0, max(1, len(text)), size):
            yield text[max(0, start - overlap) : start + size]


def mixed(values: Hashes) -> Hashes:
    """Hashes whose bits all depend on all bits of `values` (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _window_sums(values: Hashes, count: int) -> Hashes:
    """The sums modulo 2^64 of each `count` neighbours."""
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(values, dtype=np.uint64)])
    return sums[count:] - sums[:-count] if len(values) >= count else sums[:0]


def _powers(base: int, count: int) -> Hashes:
    """base^0, base^1, … modulo 2^64, shape (count,)."""
    found = np.full(count, base, dtype=np.uint64)
    found[:1] = 1
    return np.cumprod(found, dtype=np.uint64)
