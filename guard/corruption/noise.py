"""Seeded Gaussian noise for `guard.corruption.functions`: the same numbers on every machine."""

import functools
import hmac
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from guard.terms.errors import ConfigError

LEVELS = 1 << 16


def seeded_rng(key: bytes, forget_set: str, text: str) -> np.random.Generator:
    """A generator that is the same for the same secret key, forget set and text, on any machine.

    Who lacks the key cannot predict its numbers; who asks twice does not get two draws to average.
    Raises ConfigError on an empty key.
    """
    if not key:
        raise ConfigError("corruption key: must not be empty")
    name = forget_set.encode("utf-8", "surrogatepass")
    message = len(name).to_bytes(8, "big") + name + text.encode("utf-8", "surrogatepass")
    seed = int.from_bytes(hmac.digest(key, message, "sha256"), "big")
    return np.random.Generator(np.random.PCG64(seed))


def standard_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Normal numbers (mean 0, deviation 1) in 65,536 equally likely levels, at most 4.4 in size.

    A table look-up, because noise on all dimensions is most of a corruption's cost: 256 tokens of
    4,096 dimensions take 2 to 3 ms, numpy's own float32 normals 10 ms. The levels are finer than
    what bfloat16 resolves.
    """
    return np.take(_levels(), rng.integers(0, LEVELS, shape, dtype=np.uint16), mode="clip")


@functools.cache
def _levels() -> NDArray[np.float32]:
    """The normal distribution's quantiles at the middle of each level, rising."""
    quantile = NormalDist().inv_cdf
    upper = [quantile((level + 0.5) / LEVELS) for level in range(LEVELS // 2, LEVELS)]
    half = np.array(upper, np.float32)
    return np.concatenate([-half[::-1], half])
