"""A linear model of hashed n-grams: a table of weights that reads a text without a tokenizer."""

import numpy as np

from guard.detectors.malicious.ngrams import MOST_WORDS, ngram_indices
from guard.detectors.weights import Array


class LexicalTable:
    """The mean weight of the n-grams that occur in a text, times the root of their number."""

    def __init__(self, weight: Array, most_words: int = MOST_WORDS) -> None:
        """`weight`: one per bucket, (buckets,); ValueError unless a power of two. `most_words` are
        those of the longest n-grams."""
        self._most_words = most_words
        if len(weight) & (len(weight) - 1):
            raise ValueError(f"weight: {len(weight)} buckets, expected a power of two")
        self._weight = weight

    def logit(self, text: str) -> float:
        """Log odds by the words and letters alone, up to a bias."""
        indices = ngram_indices(text, len(self._weight), self._most_words)
        return float(self._weight[indices].sum() / np.sqrt(max(1, len(indices))))
