"""Hashed character and word n-grams of a text: what a lexical table's weights are indexed by.

No tokenizer and no vocabulary: every script is covered alike. Used by `malicious_text` in serving
and by its training, so both see the same indices.
"""

import re
import unicodedata
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

CHARACTER_ORDERS = (1, 2, 3, 4, 5)
"""Lengths of the character n-grams, in code points."""
MOST_WORDS = 2
"""The longest word n-grams, where nothing else is said."""

_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)
_WORD = re.compile(r"\w+")

Indices = NDArray[np.int64]


def ngram_indices(text: str, buckets: int, most_words: int = MOST_WORDS) -> Indices:
    """The distinct buckets, sorted, of the text's n-grams; `buckets` must be a power of two.

    Those of words have 1 to `most_words`. The text is read after NFKC, in lower case, each run of
    white space as one space.
    """
    plain = " ".join(unicodedata.normalize("NFKC", text).lower().split())
    hashes = np.concatenate([_characters(f" {plain} "), _words(_WORD.findall(plain), most_words)])
    return np.unique(hashes & np.uint64(buckets - 1)).astype(np.int64)


def _characters(text: str) -> NDArray[np.uint64]:
    """Hashes of all character n-grams; lone surrogates count as characters like others."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    codes = points.astype(np.uint64) + np.uint64(1)
    parts = []
    running = np.zeros(len(codes), dtype=np.uint64)
    for order in range(1, max(CHARACTER_ORDERS) + 1):
        if order > len(codes):
            break
        # Appends the next character to every n-gram: wraps modulo 2^64 by design.
        running = (running[: len(codes) - order + 1] + codes[order - 1 :]) * _MULTIPLIER
        if order in CHARACTER_ORDERS:
            parts.append(_mix(running + np.uint64(order)))
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint64)


def _words(words: list[str], most: int) -> NDArray[np.uint64]:
    grams = [
        " ".join(words[start : start + order])
        for order in range(1, most + 1)
        for start in range(len(words) - order + 1)
    ]
    hashes = [crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams]
    return _mix(np.array(hashes, dtype=np.uint64) * _MULTIPLIER)


def _mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spreads the high bits into the low ones, which choose the bucket."""
    mixed: NDArray[np.uint64] = (hashes ^ (hashes >> np.uint64(29))) * _MULTIPLIER
    return mixed ^ (mixed >> np.uint64(32))
