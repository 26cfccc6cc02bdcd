"""Corruption functions: each formula, and what must hold for all of them."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from guard.corruption.functions import (
    BLOCK_ELEMENTS,
    FLOAT_TYPES,
    Corruption,
    Tokens,
    corrupt,
    corrupt_in_place,
)
from guard.corruption.noise import KeyedDraws
from guard.terms.corruption import CORRUPTION_KINDS, CorruptionKind
from guard.terms.errors import ConfigError

NOISE = [kind for kind in CORRUPTION_KINDS if kind.startswith("rand_noise")]
TOP_K = [kind for kind in CORRUPTION_KINDS if kind.endswith("top_k")]


def make(kind: CorruptionKind, dims: int, strength: float = 2.0) -> Corruption:
    return Corruption(kind, dims, strength if kind.startswith("rand_noise") else 0.0)


def tokens(embeddings: NDArray[Any], seed: int = 1) -> Tokens:
    """Every row is another token; their strangers are the rows in the opposite order."""
    ids = np.arange(len(embeddings))
    return Tokens(ids, KeyedDraws(b"key%d" % seed, "authors"), embeddings[::-1].copy())


def bits(array: NDArray[Any]) -> NDArray[Any]:
    return array.view(f"u{array.dtype.itemsize}")


def all_rows(array: NDArray[Any]) -> NDArray[np.bool_]:
    return np.ones(len(array), np.bool_)


@st.composite
def cases(
    draw: st.DrawFn,
) -> tuple[NDArray[Any], NDArray[np.bool_], Corruption, int]:
    """Finite embeddings of every dtype with a mask, a corruption that fits and a seed."""
    tokens, width = draw(st.integers(0, 6)), draw(st.integers(1, 12))
    values = draw(
        arrays.arrays(
            np.float32,
            (tokens, width),
            elements=st.floats(allow_nan=False, allow_infinity=False, width=32),
        )
    )
    dtype = draw(st.sampled_from(FLOAT_TYPES))
    limit = np.float32(ml_dtypes.finfo(dtype).max)
    mask = draw(arrays.arrays(np.bool_, tokens))
    kind = draw(st.sampled_from(CORRUPTION_KINDS))
    strength = draw(st.floats(1e-3, 1e38))
    corruption = make(kind, draw(st.integers(1, width)), strength)
    return np.clip(values, -limit, limit).astype(dtype), mask, corruption, draw(st.integers(0, 9))


@given(cases())
def test_only_selected_rows_change_and_the_input_stays(
    case: tuple[NDArray[Any], NDArray[np.bool_], Corruption, int],
) -> None:
    embeddings, mask, corruption, seed = case
    before = embeddings.copy()
    corrupted = corrupt(embeddings, mask, corruption, tokens(embeddings, seed))
    assert np.array_equal(bits(embeddings), bits(before))
    assert not np.shares_memory(corrupted, embeddings)
    assert (corrupted.dtype, corrupted.shape) == (embeddings.dtype, embeddings.shape)
    assert np.array_equal(bits(corrupted[~mask]), bits(embeddings[~mask]))


@given(cases())
def test_at_most_dims_elements_of_a_row_change(
    case: tuple[NDArray[Any], NDArray[np.bool_], Corruption, int],
) -> None:
    embeddings, mask, corruption, seed = case
    corrupted = corrupt(embeddings, mask, corruption, tokens(embeddings, seed))
    changed = np.count_nonzero(bits(corrupted) != bits(embeddings), axis=1)
    assert (changed <= corruption.dims).all()


@given(cases())
def test_finite_input_never_gives_infinity_or_nan(
    case: tuple[NDArray[Any], NDArray[np.bool_], Corruption, int],
) -> None:
    embeddings, mask, corruption, seed = case
    corrupted = corrupt(embeddings, mask, corruption, tokens(embeddings, seed))
    assert np.isfinite(corrupted.astype(np.float64)).all()


@given(cases())
def test_the_same_seed_gives_the_same_result(
    case: tuple[NDArray[Any], NDArray[np.bool_], Corruption, int],
) -> None:
    embeddings, mask, corruption, seed = case
    first = corrupt(embeddings, mask, corruption, tokens(embeddings, seed))
    assert np.array_equal(
        bits(first), bits(corrupt(embeddings, mask, corruption, tokens(embeddings, seed)))
    )


@pytest.mark.parametrize("kind", NOISE)
def test_noise_differs_with_the_seed_and_between_tokens(kind: CorruptionKind) -> None:
    embeddings = np.zeros((2, 8), np.float32)
    one, two = (
        corrupt(embeddings, all_rows(embeddings), make(kind, 3), tokens(embeddings, seed))
        for seed in (1, 2)
    )
    assert not np.array_equal(one, two)
    assert not np.array_equal(one[0], one[1])


@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
def test_noise_on_the_first_dims_is_strength_times_a_normal_draw(dtype: np.dtype[Any]) -> None:
    embeddings = np.arange(24, dtype=np.float32).reshape(4, 6).astype(dtype)
    corruption = Corruption("rand_noise_first_n", 2, 5.0)
    corrupted = corrupt(embeddings, all_rows(embeddings), corruption, tokens(embeddings))
    expected = embeddings.astype(np.float32)
    expected[:, :2] += np.float32(5) * tokens(embeddings).draws.normal(range(4), 2)
    assert np.array_equal(bits(corrupted), bits(expected.astype(dtype)))


def test_noise_on_random_dims_meets_the_same_dims_in_every_row() -> None:
    embeddings = np.zeros((50, 16), np.float32)
    corruption = Corruption("rand_noise_rand_n", 3, 5.0)
    chosen = set()
    for seed in range(20):
        corrupted = corrupt(embeddings, all_rows(embeddings), corruption, tokens(embeddings, seed))
        (dims,) = np.nonzero(corrupted.any(axis=0))
        assert len(dims) == 3
        assert np.count_nonzero(corrupted) == 150
        chosen.add(tuple(dims))
    assert len(chosen) > 10


@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
@pytest.mark.parametrize("kind", TOP_K)
def test_top_k_takes_the_largest_magnitudes_of_each_row(
    kind: CorruptionKind, dtype: np.dtype[Any]
) -> None:
    embeddings = np.array([[1, -9, 3, 0.5, 8], [-4, 2, 0.1, -7, 5]], np.float32).astype(dtype)
    corrupted = corrupt(embeddings, all_rows(embeddings), make(kind, 2), tokens(embeddings))
    changed = [np.flatnonzero(row).tolist() for row in bits(corrupted) != bits(embeddings)]
    assert changed == [[1, 4], [3, 4]]


@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
def test_top_k_takes_the_first_of_equal_magnitudes(dtype: np.dtype[Any]) -> None:
    embeddings = np.array([[2, -2, 2, -2, 1]], np.float32).astype(dtype)
    corrupted = corrupt(
        embeddings, all_rows(embeddings), make("zero_out_top_k", 3), tokens(embeddings)
    )
    assert corrupted.astype(np.float32).tolist() == [[0, 0, 0, -2, 1]]


@given(
    arrays.arrays(np.float32, (3, 9), elements=st.floats(-100, 100, width=16), unique=False),
    st.integers(1, 9),
)
def test_top_k_agrees_with_a_stable_sort(values: NDArray[np.float32], count: int) -> None:
    embeddings = values + np.float32(0)
    flipped = corrupt(
        embeddings, all_rows(embeddings), make("flip_sign_top_k", count), tokens(embeddings)
    )
    largest = np.argsort(-np.abs(embeddings), axis=1, kind="stable")[:, :count]
    expected = embeddings.copy()
    np.put_along_axis(expected, largest, -np.take_along_axis(embeddings, largest, 1), 1)
    assert np.array_equal(bits(flipped), bits(expected))


def test_top_k_of_a_very_wide_row_keeps_its_tie_rule() -> None:
    """Above 65,536 dimensions the index no longer fits beside a 16-bit number in 32 bits."""
    embeddings = np.ones((1, (1 << 16) + 5), ml_dtypes.bfloat16)
    corrupted = corrupt(
        embeddings, all_rows(embeddings), make("zero_out_top_k", 7), tokens(embeddings)
    )
    assert np.flatnonzero(corrupted[0] == 0).tolist() == list(range(7))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("zero_out_first_n", [0, 0, 3, -4]),
        ("zero_out_top_k", [1, -2, 0, 0]),
        ("flip_sign_first_n", [-1, 2, 3, -4]),
        ("flip_sign_top_k", [1, -2, -3, 4]),
    ],
)
def test_zeroing_and_flipping(kind: CorruptionKind, expected: list[float]) -> None:
    embeddings = np.array([[1, -2, 3, -4]], ml_dtypes.bfloat16)
    corrupted = corrupt(embeddings, all_rows(embeddings), make(kind, 2), tokens(embeddings))
    assert corrupted.astype(np.float32).tolist() == [expected]


@pytest.mark.parametrize("dims", [1, 4])
@pytest.mark.parametrize("dtype", FLOAT_TYPES, ids=str)
def test_noise_beyond_the_dtype_is_clipped_to_its_largest_number(
    dtype: np.dtype[Any], dims: int
) -> None:
    embeddings = np.full((64, 4), ml_dtypes.finfo(dtype).max, dtype)
    corruption = Corruption("rand_noise_first_n", dims, 3e38)
    touched = corrupt(embeddings, all_rows(embeddings), corruption, tokens(embeddings))[:, :dims]
    assert np.isfinite(touched.astype(np.float64)).all()
    assert (touched == ml_dtypes.finfo(dtype).max).any()


@pytest.mark.parametrize(
    ("kind", "dims", "strength", "message"),
    [
        ("shuffle", 1, 1.0, r"kind: 'shuffle' is not one of rand_noise_first_n"),
        ("zero_out_first_n", -1, 0.0, r"dims: must be at least 0, not -1"),
        ("rand_noise_first_n", 1, 0.0, r"strength: rand_noise_first_n needs .* not 0"),
        ("rand_noise_top_k", 1, float("nan"), r"strength: .* not nan"),
        ("rand_noise_rand_n", 1, float("inf"), r"strength: .* not inf"),
        ("flip_sign_top_k", 1, 2.0, r"strength: flip_sign_top_k takes none"),
    ],
)
def test_a_corruption_that_makes_no_sense_is_refused(
    kind: Any, dims: int, strength: float, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        Corruption(kind, dims, strength)


def test_no_dims_are_all_of_them() -> None:
    embeddings = np.ones((5, 4), np.float32)
    every, stated = (
        corrupt(embeddings, all_rows(embeddings), make("zero_out_first_n", d), tokens(embeddings))
        for d in (0, 4)
    )
    assert (every == stated).all()
    assert not every.any()


def test_more_dims_than_the_hidden_size_are_refused() -> None:
    embeddings = np.zeros((2, 4), np.float32)
    with pytest.raises(ConfigError, match="dims: 5 is more than the model's hidden size 4"):
        corrupt(embeddings, all_rows(embeddings), make("zero_out_top_k", 5), tokens(embeddings))


@pytest.mark.parametrize(
    ("shape", "mask", "dtype", "message"),
    [
        ((4,), np.ones(4, np.bool_), np.float32, "do not fit"),
        ((2, 4), np.ones(3, np.bool_), np.float32, "do not fit"),
        ((2, 4), np.ones((2, 4), np.bool_), np.float32, "do not fit"),
        ((2, 4), np.ones(2, np.int64), np.float32, "do not fit"),
        ((2, 4), np.ones(2, np.bool_), np.float64, "float64, not float32"),
    ],
)
def test_wrong_shapes_and_types_are_refused(
    shape: tuple[int, ...], mask: NDArray[Any], dtype: Any, message: str
) -> None:
    embeddings = np.zeros(shape, dtype)
    with pytest.raises(ValueError, match=message):
        corrupt(embeddings, mask, make("zero_out_first_n", 1), tokens(embeddings))


def test_in_place_is_the_same_without_the_copy() -> None:
    embeddings = np.arange(12, dtype=np.float32).reshape(3, 4)
    mask = np.array([True, False, True])
    expected = corrupt(embeddings, mask, make("rand_noise_top_k", 2), tokens(embeddings))
    corrupt_in_place(embeddings, mask, make("rand_noise_top_k", 2), tokens(embeddings))
    assert np.array_equal(embeddings, expected)
    with pytest.raises(ValueError, match="contiguous"):
        corrupt_in_place(embeddings[:, ::2], mask, make("zero_out_top_k", 1), tokens(embeddings))


@pytest.mark.parametrize("kind", CORRUPTION_KINDS)
def test_noise_follows_from_the_tokens_alone_also_over_many_blocks(kind: CorruptionKind) -> None:
    """Where the rows stand, and what stands between them, does not redraw it."""
    width = BLOCK_ELEMENTS // 3
    rows = np.random.default_rng(2).standard_normal((8, width)).astype(np.float16)
    alone = corrupt(rows, all_rows(rows), make(kind, 5), tokens(rows))
    among = np.ones((20, width), np.float16)
    ids = np.arange(100, 120)
    strangers = among.copy()
    mask = np.zeros(20, np.bool_)
    mask[[1, 2, 3, 4, 7, 9, 12, 19]] = True
    among[mask], ids[mask], strangers[mask] = rows, range(8), rows[::-1]
    drawn = Tokens(ids, tokens(rows).draws, strangers)
    corrupted = corrupt(among, mask, make(kind, 5), drawn)
    assert np.array_equal(bits(corrupted[mask]), bits(alone))
    assert (corrupted[~mask] == 1).all()


@pytest.mark.parametrize("kind", CORRUPTION_KINDS)
def test_copies_of_a_token_are_alike(kind: CorruptionKind) -> None:
    """Else who repeats a question could average the noise away."""
    row = np.random.default_rng(2).standard_normal((1, 16)).astype(np.float16)
    rows = np.repeat(row, 5, axis=0)
    copies = Tokens(np.full(5, 7), KeyedDraws(b"key", "authors"), -rows)
    corrupted = corrupt(rows, all_rows(rows), make(kind, 9), copies)
    assert (bits(corrupted) == bits(corrupted[:1])).all()
    assert not np.array_equal(corrupted, rows)


def test_a_stranger_gives_its_first_dimensions() -> None:
    rows = np.array([[1, 2, 3], [4, 5, 6]], np.float32)
    corrupted = corrupt(rows, np.array([True, False]), make("stranger_first_n", 2), tokens(rows))
    assert corrupted.tolist() == [[4, 5, 3], [4, 5, 6]]
    nobody = Tokens(np.arange(2), KeyedDraws(b"key", "authors"))
    with pytest.raises(ValueError, match="strangers"):
        corrupt(rows, all_rows(rows), make("stranger_first_n", 2), nobody)
    with pytest.raises(ValueError, match="ids"):
        corrupt(rows, all_rows(rows), make("zero_out_first_n", 2), tokens(rows[:1]))
