"""Every point of the search space is a corruption of the model, at any width."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.corruption.search_space import LEAST_RATIO, MOST_RATIO, SearchSpace
from guard.corruption.embedding_table import EmbeddingTable
from guard.terms.corruption import CORRUPTION_KINDS
from guard.terms.errors import ConfigError
from tests.guard.corruption.checkpoints import random_rows


@given(
    width=st.integers(1, 8192),
    deviation=st.floats(1e-4, 10),
    seed=st.integers(0, 1000),
    kinds=st.lists(st.sampled_from(CORRUPTION_KINDS), min_size=1, unique=True),
)
@settings(max_examples=25, deadline=None)
def test_whatever_nevergrad_draws_is_within_bounds(
    width: int, deviation: float, seed: int, kinds: list[str]
) -> None:
    space = SearchSpace(width, deviation, tuple(k for k in CORRUPTION_KINDS if k in kinds))
    parametrization = space.parametrization(seed)
    for _ in range(5):
        parametrization = parametrization.sample()
        drawn = parametrization.kwargs
        assert 1 <= drawn["dims"] <= width
        assert LEAST_RATIO * 0.999 <= drawn["ratio"] <= MOST_RATIO * 1.001
        corruption = space.corruption(**drawn)
        assert corruption.kind in kinds
        corruption.check_width(width)
        if corruption.is_noise:
            assert space.ratio(corruption) == pytest.approx(drawn["ratio"], rel=0.006)
        else:
            assert corruption.strength == 0


@given(dims=st.integers(1, 128), ratio=st.floats(0.1, 100))
@settings(deadline=None)
def test_the_ratio_is_the_noises_norm_over_an_embeddings(dims: int, ratio: float) -> None:
    space = SearchSpace(128, 0.05)
    strength = space.corruption("rand_noise_first_n", dims, ratio).strength
    assert strength * np.sqrt(dims) == pytest.approx(ratio * 0.05 * np.sqrt(128), rel=0.006)


def test_the_deviation_is_the_tables() -> None:
    table = EmbeddingTable(Path("tiny"), random_rows(500, 64, np.dtype(np.float32)))
    space = SearchSpace.of(table, ["zero_out_top_k"])
    assert space.width == 64
    assert space.deviation == pytest.approx(0.05, rel=0.05)
    assert space.kinds == ("zero_out_top_k",)


@pytest.mark.parametrize("kinds", [[], ["zero_out_top_k", "shuffle"]])
def test_unknown_kinds_are_named(kinds: list[str]) -> None:
    table = EmbeddingTable(Path("tiny"), random_rows(10, 8, np.dtype(np.float32)))
    with pytest.raises(ConfigError, match=f"kinds: {'shuffle' if kinds else 'none'}: expected"):
        SearchSpace.of(table, kinds)
