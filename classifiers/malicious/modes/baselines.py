"""What any mode has to beat, always reported beside it: random, length, TF-IDF, mean difference,
and VLMGuard's score without a student."""

from collections.abc import Sequence

import numpy as np

from classifiers.malicious.data.training_set import Labels
from classifiers.malicious.modes.directions import even_weights
from classifiers.malicious.modes.subspace import fit_subspace
from guard.terms.detector import Features, Scores

MOST_TERMS = 100_000


def random_scores(count: int, rng: np.random.Generator) -> Scores:
    """Uniform scores, shape (n,)."""
    return rng.random(count, dtype=np.float32)


def length_scores(texts: Sequence[str]) -> Scores:
    """Characters of each text: what sets that differ in length already give away."""
    return np.array([len(text) for text in texts], dtype=np.float32)


def tfidf_scores(
    texts: Sequence[str], labels: Labels, sources: Sequence[str], scored: Sequence[str]
) -> Scores:
    """Logistic regression on TF-IDF of words and pairs of words, sources and classes balanced.

    Learned from labelled `texts`; log odds of `scored`, shape (m,).
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    terms = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, sublinear_tf=True, max_features=MOST_TERMS
    )
    rows = terms.fit_transform(texts)
    # As for the modes: a source counts as much as another, however many rows it has.
    weights = np.empty(len(texts))
    for label in (0, 1):
        same = np.flatnonzero(labels == label)
        weights[same] = even_weights([sources[int(row)] for row in same]) * len(texts) / 2
    model = LogisticRegression(C=10.0, max_iter=500)
    model.fit(rows, labels, sample_weight=weights)
    found: Scores = model.decision_function(terms.transform(scored)).astype(np.float32)
    return found


def mean_difference_scores(features: Features, labels: Labels, scored: Features) -> Scores:
    """Projection of `scored` (m, d) on the mean malicious minus the mean benign row."""
    direction = features[labels == 1].mean(axis=0) - features[labels == 0].mean(axis=0)
    return np.asarray(scored @ direction, dtype=np.float32)


def kappa_scores(unlabelled: Features, scored: Features, k: int = 1) -> Scores:
    """VLMGuard's score of `scored` (m, d), unweighted, from all columns of the mixture."""
    return fit_subspace(unlabelled, k).kappa(scored, k).astype(np.float32)
