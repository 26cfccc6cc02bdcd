"""Keyed noise of tokens: reproducible, and normal."""

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.corruption.noise import KeyedDraws
from guard.terms.errors import ConfigError


@given(st.binary(min_size=1), st.text(), st.integers(0, 1 << 20))
def test_the_same_key_set_and_token_give_the_same_numbers(
    key: bytes, forget_set: str, token: int
) -> None:
    one, two = (KeyedDraws(key, forget_set).normal([token], 5).tolist() for _ in range(2))
    assert one == two


def test_key_set_and_token_each_change_the_numbers() -> None:
    cases = [
        (b"key", "authors", 7),
        (b"key2", "authors", 7),
        (b"key", "books", 7),
        (b"key", "authors", 8),
        (b"key", "", 7),
        (b"key", "\ud800", 7),
    ]
    drawn = {tuple(KeyedDraws(key, name).normal([token], 4)[0]) for key, name, token in cases}
    assert len(drawn) == len(cases)


def test_a_token_has_the_same_numbers_in_any_company() -> None:
    draws = KeyedDraws(b"key", "authors")
    among = draws.normal([5, 7, 9, 7], 10)
    assert among[1].tolist() == among[3].tolist() == draws.normal([7], 10)[0].tolist()
    assert among[1, :3].tolist() == draws.normal([7], 3)[0].tolist()


def test_the_numbers_stay_the_same_between_releases() -> None:
    """A fleet is upgraded one replica at a time; a prompt must not change with the replica."""
    draws = KeyedDraws(b"key", "authors")
    assert draws.normal([7], 5)[0].tolist() == pytest.approx(
        [0.128734, -0.032459, -0.492335, 0.664273, 0.598716], abs=1e-6
    )
    assert draws.dims(16, 3).tolist() == [1, 5, 8]
    assert draws.number(b"name") == 2778341792255981434


def test_dims_are_distinct_and_ascending() -> None:
    dims = KeyedDraws(b"key", "authors").dims(50, 20)
    assert (np.diff(dims) > 0).all()
    assert 0 <= dims[0] <= dims[-1] < 50


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="key: must not be empty"):
        KeyedDraws(b"", "authors")


def test_noise_is_normal_over_tokens_and_over_dimensions() -> None:
    drawn = KeyedDraws(b"key", "authors").normal(range(1000), 200)
    assert drawn.dtype == np.float32
    assert abs(np.corrcoef(drawn[:, :20], rowvar=False) - np.eye(20)).max() < 0.15
    noise = np.sort(drawn.ravel())
    assert abs(noise.mean()) < 0.01
    assert noise.std() == pytest.approx(1, abs=0.01)
    normal = NormalDist()
    for quantile in (0.001, 0.05, 0.5, 0.9, 0.999):
        value = float(noise[int(quantile * len(noise))])
        assert normal.cdf(value) == pytest.approx(quantile, abs=0.003)
    assert 4 < np.abs(noise).max() < 4.5
