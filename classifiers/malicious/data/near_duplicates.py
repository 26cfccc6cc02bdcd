"""Finds near-duplicate prompts and keeps one of each cluster, so that repetition buys no influence.

First step with traffic, before quotas. Clusters are stars around a leader, the first prompt of its
kind: nothing is joined by way of a third prompt, so no chain of small edits can swallow strangers.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHINGLE = 5
"""Characters in a shingle; characters, not words, so that every script is treated alike."""
MOST_CHARACTERS = 20_000
"""A longer prompt is compared by so many of its first characters."""
# A pair just above the threshold shares no bucket with probability (1 - 0.8^4)^16 = 0.0002.
PERMUTATIONS, BANDS = 64, 16

Rows = NDArray[np.int_]
Shingles = NDArray[np.uint32]


def text_leaders(texts: Sequence[str], *, similarity: float = 0.8, seed: int = 0) -> Rows:
    """Each text's leader, shape (n,): the first text with a Jaccard similarity above `similarity`.

    Sets of character 5-grams, compared after compatibility forms, case and white space are made
    equal. MinHash and banding (Broder 1997; Leskovec et al., Mining of Massive Datasets, ch. 3)
    propose pairs, which are then compared exactly. `seed` chooses the hash functions: keep it
    secret where writers of prompts could aim at collisions.
    """
    plain = [_plain(text) for text in texts]
    first: dict[str, int] = {}
    leaders = np.array([first.setdefault(text, row) for row, text in enumerate(plain)], np.int_)
    distinct = list(first.values())
    found = _minhash_leaders([plain[row] for row in distinct], similarity, seed)
    of_text = dict(zip(distinct, (distinct[place] for place in found), strict=True))
    return np.array([of_text[int(row)] for row in leaders], dtype=np.int_)


def leading_rows(texts: Sequence[str], *, seed: int = 0) -> Rows:
    """One row of each cluster of near duplicates, its first, shape (m,), in order.

    However often a prompt is repeated, it counts once.
    """
    return np.unique(text_leaders(texts, seed=seed))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text[:MOST_CHARACTERS]).casefold().split())


def _minhash_leaders(texts: Sequence[str], similarity: float, seed: int) -> list[int]:
    from datasketch import MinHashLSH

    factors = _odd_factors(seed)
    index: Any = MinHashLSH(similarity, PERMUTATIONS, params=(BANDS, PERMUTATIONS // BANDS))
    known: dict[int, Shingles] = {}
    leaders = []
    for row, sketch in enumerate(_sketches((_shingles(text, factors) for text in texts), seed)):
        shingles, minhash = sketch
        near = _first_alike(shingles, sorted(index.query(minhash)), known, similarity)
        if near is None:
            index.insert(row, minhash, check_duplication=False)
            known[row] = shingles
        leaders.append(row if near is None else near)
    return leaders


def _sketches(sets: Iterable[Shingles], seed: int) -> Iterable[tuple[Shingles, Any]]:
    """Each shingle set with its MinHash; all share their permutations."""
    from datasketch import MinHash

    empty: Any = MinHash(PERMUTATIONS, seed=seed, hashfunc=_itself, scheme="affine32")
    for shingles in sets:
        sketch = empty.copy()
        sketch.update_batch(shingles.tolist())
        yield shingles, sketch


def _itself(number: int) -> int:
    """Shingles are hashed already."""
    return number


def _shingles(text: str, factors: NDArray[np.uint64]) -> Shingles:
    """Sorted 32-bit hashes of a text's shingles; of the whole text where it is shorter."""
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    codes = np.pad(codes, (0, max(0, SHINGLE - len(codes)))).astype(np.uint64)
    windows = np.lib.stride_tricks.sliding_window_view(codes, SHINGLE)
    # Multiply-shift hashing: sums of products modulo 2^64, of which the upper half is used.
    return np.unique(((windows * factors).sum(axis=1) >> np.uint64(32)).astype(np.uint32))


def _odd_factors(seed: int) -> NDArray[np.uint64]:
    drawn = np.random.default_rng(seed).integers(0, 2**64, SHINGLE, dtype=np.uint64)
    return drawn | np.uint64(1)


def _first_alike(
    shingles: Shingles, candidates: Iterable[int], known: dict[int, Shingles], similarity: float
) -> int | None:
    for row in candidates:
        other = known[row]
        shorter, longer = sorted((len(shingles), len(other)))
        if shorter <= similarity * longer:
            continue
        both = len(np.intersect1d(shingles, other, assume_unique=True))
        if both > similarity * (shorter + longer - both):
            return row
    return None
