"""Keyed Gaussian noise of tokens for `guard.corruption.functions`: the same on every machine.

A token's noise follows from the secret key, the forget set and the token's id, and from nothing
else. Copies of a token in one prompt, and the same token in the next prompt, get the same numbers:
who asks often or repeats the question has no two draws to average.
"""

import functools
import hashlib
import hmac
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guard.terms.errors import ConfigError

LEVELS = 1 << 16
SET = b"set"
"""What is drawn once for all tokens of a forget set is drawn under this name."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)


class KeyedDraws:
    """Numbers of one forget set, which who lacks the key cannot predict."""

    def __init__(self, key: bytes, forget_set: str) -> None:
        """Raises ConfigError on an empty key."""
        if not key:
            raise ConfigError("corruption key: must not be empty")
        name = forget_set.encode("utf-8", "surrogatepass")
        self._key = hmac.digest(key, name, "sha256")

    def number(self, name: bytes) -> int:
        """64 bits that follow from a name."""
        digest = hashlib.blake2b(name, digest_size=8, key=self._key).digest()
        return int.from_bytes(digest, "little")

    def dims(self, width: int, count: int) -> NDArray[np.intp]:
        """`count` of `width` dimensions, ascending, the same for every token of the set."""
        rng = np.random.Generator(np.random.PCG64(self.number(SET)))
        return np.sort(rng.choice(width, count, replace=False))

    def normal(self, ids: Sequence[int], count: int) -> NDArray[np.float32]:
        """Normal numbers (mean 0, deviation 1) of tokens, shape (tokens, count).

        They come in 65,536 equally likely levels, at most 4.4 in size: finer than what bfloat16
        resolves. SplitMix64 (Steele et al., OOPSLA 2014) from a keyed hash of each id, because
        noise on all dimensions is most of a corruption's cost, and a generator for each token
        would take longer than its numbers.
        """
        seeds = np.array([self.number(b"%d" % token) for token in ids], np.uint64)
        words = -(-count // 4)
        with np.errstate(over="ignore"):  # meant: modulo 2^64
            mixed = seeds[:, None] + _GOLDEN * np.arange(1, words + 1, dtype=np.uint64)
            for shift, factor in _MIXERS:
                mixed ^= mixed >> shift
                mixed *= factor
        mixed ^= mixed >> _LAST_SHIFT
        levels: NDArray[Any] = mixed.astype("<u8").view("<u2")[:, :count]
        return np.take(_levels(), levels, mode="clip")


@functools.cache
def _levels() -> NDArray[np.float32]:
    """The normal distribution's quantiles at the middle of each level, rising."""
    quantile = NormalDist().inv_cdf
    upper = [quantile((level + 0.5) / LEVELS) for level in range(LEVELS // 2, LEVELS)]
    half = np.array(upper, np.float32)
    return np.concatenate([-half[::-1], half])
