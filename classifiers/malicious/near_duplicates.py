"""Finds near-duplicate prompts and keeps one of each cluster, so that repetition buys no influence.

First step with traffic, before quotas. Clusters are stars around a leader, the first prompt of its
kind: nothing is joined by way of a third prompt, so no chain of small edits can swallow strangers.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guard.detectors.contract import Features

SHINGLE = 5
"""Characters in a shingle; characters, not words, so that every script is treated alike."""
MOST_CHARACTERS = 20_000
"""A longer prompt is compared by so many of its first characters."""
MOST_WEIGHT = 3
# A pair just above the threshold shares no bucket with probability (1 - 0.8^4)^16 = 0.0002.
PERMUTATIONS, BANDS = 64, 16
# Rows at a cosine of 0.97 share none with (1 - 0.922^16)^28 = 0.0002.
PLANES, TABLES = 16, 28

Rows = NDArray[np.int_]
Shingles = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows that stay, in order, and the weight of each: min(size of its cluster, 3)."""

    rows: Rows
    weights: NDArray[np.float32]


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


def feature_leaders(features: Features, *, cosine: float = 0.97, seed: int = 0) -> Rows:
    """Each row's leader, shape (n,): the first row of `features` (n, d) with a cosine above
    `cosine`, among those that share one of 28 random-hyperplane buckets (Charikar 2002)."""
    rows = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    keys = _plane_keys(rows, np.random.default_rng(seed))
    buckets: list[dict[int, list[int]]] = [{} for _ in range(TABLES)]
    leaders = np.arange(len(rows))
    for row, own_keys in enumerate(keys.tolist()):
        own = [bucket.setdefault(key, []) for bucket, key in zip(buckets, own_keys, strict=True)]
        near = _first_near(rows, row, sorted(set().union(*own)), cosine)
        if near is None:
            for members in own:
                members.append(row)
        else:
            leaders[row] = near
    return leaders


def keep_one(leaders: Rows, clients: Sequence[str] | None = None) -> Kept:
    """The leaders, each with weight min(rows of its cluster, 3).

    With `clients`, rows of one client count once, so that nobody raises a weight alone.
    """
    rows, place = np.unique(leaders, return_inverse=True)
    votes = place if clients is None else _distinct_votes(place, clients)
    counts = np.bincount(votes, minlength=len(rows))
    return Kept(rows, np.minimum(counts, MOST_WEIGHT).astype(np.float32))


def merge(first: Rows, then: Rows) -> Rows:
    """Leaders after two passes: `then` (m,) leads the m distinct leaders of `first` (n,)."""
    leaders, place = np.unique(first, return_inverse=True)
    return np.asarray(leaders[then][place], dtype=np.int_)


def _distinct_votes(place: Rows, clients: Sequence[str]) -> Rows:
    """The cluster of each (cluster, client) pair once; unknown clients count row by row."""
    names = [client or f"\0{row}" for row, client in enumerate(clients)]
    pairs = set(zip(place.tolist(), names, strict=True))
    return np.array([cluster for cluster, _ in pairs], dtype=np.int_)


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


def _plane_keys(rows: Features, rng: np.random.Generator) -> NDArray[np.int64]:
    """Bucket of each row in each table, shape (n, tables): the signs of `PLANES` projections."""
    keys = np.empty((len(rows), TABLES), dtype=np.int64)
    powers = 1 << np.arange(PLANES)
    for table in range(TABLES):
        planes = rng.standard_normal((rows.shape[1], PLANES)).astype(np.float32)
        keys[:, table] = (rows @ planes > 0) @ powers
    return keys


def _first_near(rows: Features, row: int, candidates: Sequence[int], cosine: float) -> int | None:
    if not candidates:
        return None
    near = np.flatnonzero(rows[list(candidates)] @ rows[row] > cosine)
    return candidates[int(near[0])] if len(near) else None
