"""The corruption functions, once, for learning a corruption and for serving it.

Source: ECO (Liu et al., NeurIPS 2024, arXiv 2406.07933), its released corruption functions.
"""

from dataclasses import dataclass
from typing import Any, Literal, get_args

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

from guard.corruption.noise import standard_normal
from guard.errors import ConfigError

CorruptionKind = Literal[
    "rand_noise_first_n",
    "rand_noise_rand_n",
    "rand_noise_top_k",
    "zero_out_first_n",
    "zero_out_top_k",
    "flip_sign_first_n",
    "flip_sign_top_k",
]
CORRUPTION_KINDS: tuple[CorruptionKind, ...] = get_args(CorruptionKind)

FLOAT_TYPES = tuple(np.dtype(kind) for kind in (np.float32, np.float16, ml_dtypes.bfloat16))

Embeddings = NDArray[Any]
"""Token embeddings, shape (tokens, hidden), float32, float16 or bfloat16 (`ml_dtypes`)."""


@dataclass(frozen=True, slots=True)
class Corruption:
    """What is done to each selected token embedding.

    `dims` is the number of dimensions touched (n in the paper's code); `strength` is the standard
    deviation of the noise, and has no meaning (and must be 0) for the kinds without noise.
    """

    kind: CorruptionKind
    dims: int
    strength: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in CORRUPTION_KINDS:
            raise ConfigError(
                f"corruption kind: {self.kind!r} is not one of {', '.join(CORRUPTION_KINDS)}"
            )
        if self.dims < 1:
            raise ConfigError(f"corruption dims: must be at least 1, not {self.dims}")
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


def corrupt(
    embeddings: Embeddings,
    mask: NDArray[np.bool_],
    corruption: Corruption,
    rng: np.random.Generator,
) -> Embeddings:
    """Corrupted copy of `embeddings`, shape (tokens, hidden), same dtype.

    Only rows selected by `mask`, shape (tokens,), change; all others are bit-identical. Noise is
    computed in float32, then cast. What would overflow the dtype is clipped to its largest finite
    number, so finite input never gives infinities or NaN, which a model answers with noise that
    a client could recognise.

    Of dimensions with equal magnitude, "top k" takes the first, so that the choice does not
    depend on the processor. Raises ConfigError when `corruption.dims` exceeds the hidden size and
    ValueError on wrong shapes.
    """
    if embeddings.dtype not in FLOAT_TYPES:
        raise ValueError(f"embeddings are {embeddings.dtype}, not float32, float16 or bfloat16")
    if embeddings.ndim != 2 or mask.shape != embeddings.shape[:1] or mask.dtype != np.bool_:
        raise ValueError(
            f"embeddings {embeddings.shape} and mask {mask.shape} {mask.dtype} do not fit: "
            "(tokens, hidden) and (tokens,) bool are needed"
        )
    corruption.check_width(embeddings.shape[1])
    corrupted = embeddings.copy()
    words = corrupted.view(_word(corrupted.dtype))
    if mask.all():
        _corrupt_rows(words, corrupted.dtype, corruption, rng)
    elif mask.any():
        selected = words[mask]
        _corrupt_rows(selected, corrupted.dtype, corruption, rng)
        words[mask] = selected
    return corrupted


def _corrupt_rows(
    words: NDArray[Any], dtype: np.dtype[Any], corruption: Corruption, rng: np.random.Generator
) -> None:
    """Corrupt every row in place, shape (rows, hidden), C order.

    Rows are bit patterns: numpy knows bfloat16 only as a foreign type, and its generic loops take
    ten times as long to move such elements or to flip their signs.
    """
    chosen: Any
    if corruption.kind.endswith("top_k") and corruption.dims < words.shape[1]:
        words, chosen = words.reshape(-1), _largest(words, corruption.dims)
    else:
        chosen = _same_dims(words.shape[1], corruption, rng)
    if corruption.is_noise:
        values = words[chosen].view(dtype)
        words[chosen] = _add_noise(values, corruption.strength, rng).view(words.dtype)
    elif corruption.kind.startswith("zero_out"):
        words[chosen] = 0
    else:
        words[chosen] ^= _sign_bit(words.dtype)


def _same_dims(width: int, corruption: Corruption, rng: np.random.Generator) -> Any:
    """An index of the dimensions touched when they are the same in every row."""
    if corruption.kind == "rand_noise_rand_n" and corruption.dims < width:
        return np.s_[:, np.sort(rng.choice(width, corruption.dims, replace=False))]
    return np.s_[:, : corruption.dims]


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


def _add_noise(values: Embeddings, strength: float, rng: np.random.Generator) -> Embeddings:
    limit = np.float32(ml_dtypes.finfo(values.dtype).max)
    noise = standard_normal(rng, values.shape)
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
