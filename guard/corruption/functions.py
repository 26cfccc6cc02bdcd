"""The corruption functions, once, for learning a corruption and for serving it.

Source: ECO (Liu et al., NeurIPS 2024, arXiv 2406.07933), its released corruption functions; not
`stranger_first_n`, which gives a token the first n dimensions of another token of the same form.
"""

from dataclasses import dataclass, replace
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from guard.corruption.noise import KeyedDraws
from guard.terms.corruption import CORRUPTION_KINDS, CorruptionKind
from guard.terms.errors import ConfigError

FLOAT_TYPES = tuple(np.dtype(kind) for kind in (np.float32, np.float16, ml_dtypes.bfloat16))

BLOCK_ELEMENTS = 1 << 16
"""Worked on at once, so that float32 temporaries stay in the cache however long the prompt is."""

Embeddings = NDArray[Any]
"""Token embeddings, shape (tokens, hidden), float32, float16 or bfloat16 (`ml_dtypes`)."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """What is done to each selected token embedding.

    `dims` is the number of dimensions touched (n in the paper's code; 0: all of them); `strength`
    is the standard deviation of the noise, and has no meaning (and must be 0) for the kinds without
    noise.
    """

    kind: CorruptionKind
    dims: int
    strength: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in CORRUPTION_KINDS:
            raise ConfigError(
                f"corruption kind: {self.kind!r} is not one of {', '.join(CORRUPTION_KINDS)}"
            )
        if self.dims < 0:
            raise ConfigError(f"corruption dims: must be at least 0, not {self.dims}")
        if self.is_noise and not (np.isfinite(self.strength) and self.strength > 0):
            raise ConfigError(
                f"corruption strength: {self.kind} needs a finite number above 0, "
                f"not {self.strength}"
            )
        if not self.is_noise and self.strength != 0:
            raise ConfigError(
                f"corruption strength: {self.kind} takes none, so it must be 0, not {self.strength}"
            )

    @property
    def is_noise(self) -> bool:
        """Whether the corruption draws random numbers and has a strength."""
        return self.kind.startswith("rand_noise")

    def check_width(self, width: int) -> None:
        """Raise ConfigError when it touches more dimensions than the model's hidden size."""
        if self.dims > width:
            raise ConfigError(
                f"corruption dims: {self.dims} is more than the model's hidden size {width}"
            )


@dataclass(frozen=True, eq=False, slots=True)
class Tokens:
    """Which tokens the rows are, and what is drawn for them.

    `ids` has shape (tokens,). `strangers`, shape (tokens, hidden), are the rows of those that stand
    in for them; only `stranger_first_n` needs them.
    """

    ids: NDArray[np.int64]
    draws: KeyedDraws
    strangers: Embeddings | None = None


def corrupt(
    embeddings: Embeddings, mask: NDArray[np.bool_], corruption: Corruption, tokens: Tokens
) -> Embeddings:
    """Corrupted copy of `embeddings`; see `corrupt_in_place`."""
    corrupted = embeddings.copy()
    corrupt_in_place(corrupted, mask, corruption, tokens)
    return corrupted


def corrupt_in_place(
    embeddings: Embeddings, mask: NDArray[np.bool_], corruption: Corruption, tokens: Tokens
) -> None:
    """Corrupt the rows of `embeddings`, shape (tokens, hidden), that `mask`, (tokens,), selects.

    All other rows stay bit-identical; rows of one token get the same noise. Noise is computed in
    float32, then cast. What would overflow the dtype is clipped to its largest finite number, so
    finite input never gives infinities or NaN, which a model answers with garbage that a client
    could recognise.

    Of dimensions with equal magnitude, "top k" takes the first, so that the choice does not
    depend on the processor. Raises ConfigError when `corruption.dims` exceeds the hidden size and
    ValueError on wrong shapes or types.
    """
    if embeddings.dtype not in FLOAT_TYPES:
        raise ValueError(f"embeddings are {embeddings.dtype}, not float32, float16 or bfloat16")
    if embeddings.ndim != 2 or mask.shape != embeddings.shape[:1] or mask.dtype != np.bool_:
        raise ValueError(
            f"embeddings {embeddings.shape} and mask {mask.shape} {mask.dtype} do not fit: "
            "(tokens, hidden) and (tokens,) bool are needed"
        )
    if tokens.ids.shape != mask.shape:
        raise ValueError(f"token ids {tokens.ids.shape} do not fit a mask {mask.shape}")
    if not embeddings.flags.c_contiguous:
        raise ValueError("embeddings must be contiguous, in C order")
    corruption.check_width(embeddings.shape[1])
    if corruption.dims == 0:
        corruption = replace(corruption, dims=embeddings.shape[1])
    if corruption.kind == "stranger_first_n":
        _replace(embeddings, mask, corruption.dims, tokens)
        return
    # Rows move as bit patterns: numpy knows bfloat16 only as a foreign type, and its generic loops
    # take ten times as long to move such elements or to flip their signs.
    words = embeddings.view(_word(embeddings.dtype))
    dims = _same_dims(words.shape[1], corruption, tokens.draws)
    selected = np.flatnonzero(mask)
    step = max(1, BLOCK_ELEMENTS // words.shape[1])
    for first in range(0, len(selected), step):
        places = selected[first : first + step]
        rows = _adjoining(places)
        block = words[rows]
        _corrupt_rows(block, embeddings.dtype, corruption, dims, tokens, places)
        if not isinstance(rows, slice):
            words[rows] = block


def _replace(embeddings: Embeddings, mask: NDArray[np.bool_], dims: int, tokens: Tokens) -> None:
    if tokens.strangers is None or tokens.strangers.shape != embeddings.shape:
        raise ValueError("stranger_first_n needs the rows of strangers")
    embeddings[mask, :dims] = tokens.strangers[mask, :dims]


def _adjoining(rows: NDArray[np.intp]) -> slice | NDArray[np.intp]:
    """The rows as a slice (no copy) where they adjoin."""
    adjoin = rows[-1] - rows[0] == len(rows) - 1
    return slice(int(rows[0]), int(rows[-1]) + 1) if adjoin else rows


def _corrupt_rows(
    words: NDArray[Any],
    dtype: np.dtype[Any],
    corruption: Corruption,
    dims: Any,
    tokens: Tokens,
    places: NDArray[np.intp],
) -> None:
    """Corrupt every row of bit patterns in place, shape (rows, hidden), C order."""
    elements, chosen = words, dims
    if dims is None:
        elements, chosen = words.reshape(-1), _largest(words, corruption.dims)
    if corruption.is_noise:
        values = elements[chosen].view(dtype)
        noise = tokens.draws.normal(tokens.ids[places].tolist(), corruption.dims)
        noisy = _add_noise(values, corruption.strength, noise.reshape(values.shape))
        elements[chosen] = noisy.view(words.dtype)
    elif corruption.kind.startswith("zero_out"):
        elements[chosen] = 0
    else:
        elements[chosen] ^= _sign_bit(words.dtype)


def _same_dims(width: int, corruption: Corruption, draws: KeyedDraws) -> Any:
    """An index of the dimensions touched when they are the same in every row, else None."""
    if corruption.dims == width or corruption.kind.endswith("first_n"):
        return np.s_[:, : corruption.dims]
    if corruption.kind.endswith("rand_n"):
        return np.s_[:, draws.dims(width, corruption.dims)]
    return None


def _largest(words: NDArray[Any], count: int) -> NDArray[np.intp]:
    """Flat indices, rising, of each row's `count` largest magnitudes, shape (rows * count,)."""
    # The bit patterns of non-negative floats sort like the numbers. The dimension's index below
    # them makes every key unique and prefers the first of equals.
    narrow = words.dtype.itemsize == 2 and words.shape[1] <= 1 << 16
    wide, shift = (np.uint32, 16) if narrow else (np.uint64, 32)
    keys = (words & ~_sign_bit(words.dtype)).astype(wide)
    keys <<= wide(shift)
    keys |= np.arange(words.shape[1] - 1, -1, -1, dtype=wide)
    smallest_chosen = np.partition(keys, -count, axis=1)[:, -count, None]
    return np.flatnonzero(keys >= smallest_chosen)


def _add_noise(values: Embeddings, strength: float, noise: NDArray[np.float32]) -> Embeddings:
    limit = np.float32(ml_dtypes.finfo(values.dtype).max)
    with np.errstate(over="ignore"):  # clipped below
        noise *= np.float32(strength)
        noise += values.astype(np.float32, copy=False)
    np.clip(noise, -limit, limit, out=noise)
    return noise.astype(values.dtype)


def _word(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The unsigned integer as wide as a floating-point type."""
    return np.dtype(f"u{dtype.itemsize}")


def _sign_bit(word: np.dtype[Any]) -> Any:
    return word.type(1 << (8 * word.itemsize - 1))
