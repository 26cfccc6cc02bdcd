"""Fits the lexical table: a linear model of hashed n-grams, the tower's companion.

It reads what the tower's vocabulary does not know (most scripts) and errs elsewhere than the tower.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from guard.detectors.malicious.ngrams import MOST_WORDS, ngram_indices

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Floats = NDArray[np.float32]
BUCKETS = 1 << 18
STRENGTH = 3.0
"""Inverse of the ridge penalty."""


def fit_table(
    texts: Sequence[str],
    labels: Floats,
    weights: Floats,
    *,
    buckets: int = BUCKETS,
    most_words: int = MOST_WORDS,
) -> tuple[Floats, float]:
    """The table (buckets,) and bias of a weighted logistic regression; `labels` are 0 or 1."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=STRENGTH, solver="liblinear", max_iter=100, tol=1e-2, random_state=0
    )
    model.fit(ngram_matrix(texts, buckets, most_words), labels, sample_weight=weights)
    return model.coef_[0].astype(np.float32), float(model.intercept_[0])


def ngram_matrix(
    texts: Sequence[str], buckets: int = BUCKETS, most_words: int = MOST_WORDS
) -> "csr_matrix":
    """One row per text, 1/sqrt(n) in the bucket of each of its n n-grams."""
    from scipy.sparse import csr_matrix

    rows = [ngram_indices(text, buckets, most_words) for text in texts]
    counts = np.array([len(row) for row in rows], dtype=np.int64)
    # A row of n n-grams gets length 1, so that long texts do not weigh more.
    values = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts).astype(np.float32)
    edges = np.concatenate([[0], np.cumsum(counts)])
    indices = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    return csr_matrix((values, indices, edges), shape=(len(texts), buckets))
