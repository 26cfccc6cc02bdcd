"""Seeded noise: reproducible, keyed, and normal."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.corruption.noise import seeded_rng, standard_normal
from guard.terms.errors import ConfigError


def first_numbers(key: bytes, forget_set: str, text: str) -> list[int]:
    return [int(n) for n in seeded_rng(key, forget_set, text).integers(0, 1 << 62, 4)]


@given(st.binary(min_size=1), st.text(), st.text())
def test_the_same_key_set_and_text_give_the_same_numbers(
    key: bytes, forget_set: str, text: str
) -> None:
    assert first_numbers(key, forget_set, text) == first_numbers(key, forget_set, text)


def test_key_set_and_text_each_change_the_numbers() -> None:
    cases = [
        (b"key", "authors", "who?"),
        (b"key2", "authors", "who?"),
        (b"key", "books", "who?"),
        (b"key", "authors", "who"),
        (b"key", "authorsw", "ho?"),
        (b"key", "", "authorswho?"),
        (b"key", "authors", "\ud800"),
    ]
    assert len({tuple(first_numbers(*case)) for case in cases}) == len(cases)


def test_the_numbers_stay_the_same_between_releases() -> None:
    """A fleet is upgraded one replica at a time; a prompt must not change with the replica."""
    noise = standard_normal(seeded_rng(b"key", "authors", "who?"), (4,))
    assert noise.tolist() == pytest.approx([1.868508, 1.176271, 0.167213, 0.446005], abs=1e-6)


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="key: must not be empty"):
        seeded_rng(b"", "authors", "who?")


def test_noise_is_normal() -> None:
    noise = np.sort(standard_normal(np.random.default_rng(3), (200, 1000)).ravel())
    assert noise.dtype == np.float32
    assert abs(noise.mean()) < 0.01
    assert noise.std() == pytest.approx(1, abs=0.01)
    normal = NormalDist()
    for quantile in (0.001, 0.05, 0.5, 0.9, 0.999):
        value = float(noise[int(quantile * len(noise))])
        assert normal.cdf(value) == pytest.approx(quantile, abs=0.003)
    assert 4 < np.abs(noise).max() < 4.5
