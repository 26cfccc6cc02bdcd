"""Ways to learn a detector from labelled rows, all of one form, for leave-one-source-out.

A fit takes training rows and gives a scorer, which has the form of `Detector.score`: pieces' texts
and features, shape (n, width), to scores of shape (n,), higher being worse. Whoever has another way
to learn passes it beside these.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guard.terms.detector import Features, Scores

Scorer = Callable[[Sequence[str], Features], Scores]
SHARPNESS = 10.0
"""Inverse strength of the ridge penalty, for features of unit length."""


@dataclass(frozen=True, slots=True)
class TrainingRows:
    """n labelled rows: texts, features (n, width), whether malicious (n,), sources (n,)."""

    texts: Sequence[str]
    features: Features
    malicious: NDArray[np.bool_]
    sources: NDArray[np.str_]

    def balanced_weights(self) -> NDArray[np.float64]:
        """A weight for each row, of mean 1: sources of a class count alike, and so do classes."""
        weights: NDArray[np.float64] = np.zeros(len(self.malicious))
        for label in (True, False):
            names = np.unique(self.sources[self.malicious == label])
            for name in names:
                own = (self.sources == name) & (self.malicious == label)
                weights[own] = 1 / (own.sum() * len(names))
        weights *= len(weights) / weights.sum()
        return weights


Fit = Callable[[TrainingRows], Scorer]


def fit_logistic(rows: TrainingRows) -> Scorer:
    """A logistic head on the features, the supervised ceiling of frozen encoders."""
    from sklearn.linear_model import LogisticRegression

    head = LogisticRegression(C=SHARPNESS, max_iter=1000)
    head.fit(rows.features, rows.malicious, sample_weight=rows.balanced_weights())

    def score(_: Sequence[str], features: Features) -> Scores:
        probabilities = head.predict_proba(features)[:, 1]
        return np.asarray(probabilities, dtype=np.float32)

    return score


def fit_mean_difference(rows: TrainingRows) -> Scorer:
    """The projection on the difference of the class means, by a logistic to (0, 1)."""
    weights = rows.balanced_weights()
    means = [
        np.average(rows.features[own], axis=0, weights=weights[own])
        for own in (rows.malicious, ~rows.malicious)
    ]
    direction, middle = means[0] - means[1], (means[0] + means[1]) / 2

    def score(_: Sequence[str], features: Features) -> Scores:
        projected = (features - middle) @ direction
        return (1 / (1 + np.exp(-SHARPNESS * projected))).astype(np.float32)

    return score


def fit_tf_idf(rows: TrainingRows) -> Scorer:
    """Logistic regression on words and word pairs: what phrasing alone gives away."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=50_000)
    head = LogisticRegression(C=SHARPNESS, max_iter=1000, solver="liblinear")
    weights = rows.balanced_weights()
    head.fit(vectorizer.fit_transform(rows.texts), rows.malicious, sample_weight=weights)

    def score(texts: Sequence[str], _: Features) -> Scores:
        probabilities = head.predict_proba(vectorizer.transform(texts))[:, 1]
        return np.asarray(probabilities, dtype=np.float32)

    return score


def fit_length(_: TrainingRows) -> Scorer:
    """Longer is worse: what a benchmark gives away by the lengths of its prompts."""

    def score(texts: Sequence[str], _: Features) -> Scores:
        return np.array([1 - 1 / np.log2(len(text) + 4) for text in texts], dtype=np.float32)

    return score


MODES: Mapping[str, Fit] = {
    "logistic": fit_logistic,
    "mean-difference": fit_mean_difference,
    "tf-idf": fit_tf_idf,
    "length": fit_length,
}
"""The modes by the names that the command takes."""
