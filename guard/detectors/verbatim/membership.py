"""Which hashes are known: a Bloom filter in a file for many texts, a plain array for few.

A filter says of no known hash that it is unknown, and of about one in a thousand unknown ones that
it is known (Bloom, 1970). Quotes are runs of many hashes, so a stray one makes none.
"""

from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from guard.detectors.verbatim.grams import Hashes, mixed

BITS_EACH = 16
PROBES = 6
_OTHER = np.uint64(0xA0761D6478BD642F)

Bits = NDArray[np.uint8]


class Membership(Protocol):
    """Knows hashes."""

    def known(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Which of the hashes it knows, shape (n,)."""
        ...


class Listed:
    """A few hashes, sorted."""

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = np.unique(hashes)

    def known(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Which of the hashes are listed."""
        if not len(self._hashes):
            return np.zeros(len(hashes), dtype=np.bool_)
        at = np.minimum(np.searchsorted(self._hashes, hashes), len(self._hashes) - 1)
        return np.asarray(self._hashes[at] == hashes, dtype=np.bool_)


class Filter:
    """A Bloom filter over `bits`, which may be a mapped file: asking touches `PROBES` bytes a hash,
    however many are known."""

    def __init__(self, bits: Bits) -> None:
        self.bits = bits

    @classmethod
    def sized(cls, hashes: int) -> Self:
        """An empty filter for so many hashes."""
        return cls(np.zeros(max(64, hashes * BITS_EACH // 8), dtype=np.uint8))

    @classmethod
    def mapped(cls, path: Path) -> Self:
        """The filter in a file; its pages are read when they are asked for, and shared."""
        return cls(np.memmap(path, dtype=np.uint8, mode="r"))

    def add(self, hashes: Hashes) -> None:
        """Know these hashes from now on."""
        for place in self._places(hashes):
            bit = np.left_shift(1, (place & np.uint64(7)).astype(np.uint8)).astype(np.uint8)
            np.bitwise_or.at(self.bits, (place >> np.uint64(3)).astype(np.int64), bit)

    def known(self, hashes: Hashes) -> NDArray[np.bool_]:
        """Which of the hashes are known."""
        found = np.ones(len(hashes), dtype=np.bool_)
        for place in self._places(hashes):
            byte = self.bits[(place >> np.uint64(3)).astype(np.int64)]
            found &= (byte >> (place & np.uint64(7)).astype(np.uint8)) & 1 == 1
        return found

    def _places(self, hashes: Hashes) -> list[Hashes]:
        """The bits of each hash (Kirsch and Mitzenmacher: two hashes make as many as wanted)."""
        count = np.uint64(8 * len(self.bits))
        step = mixed(hashes ^ _OTHER) | np.uint64(1)
        return [(hashes + np.uint64(probe) * step) % count for probe in range(PROBES)]
