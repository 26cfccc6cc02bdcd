"""Planted Gaussian mixtures: the setting in which theory says when the subspace score works."""

from dataclasses import dataclass

import numpy as np

from classifiers.malicious.data.training_set import LabelledFeatures, TrainingSet
from guard.terms.detector import Features

WIDTH = 256
WITHIN = 0.6
"""Scale of a malicious row's own spread beside a benign row's."""


@dataclass(frozen=True)
class Planted:
    """Benign rows with eigenvalues proportional to i**-decay (mean 1); malicious ones lie `offset`
    away in a random direction."""

    decay: float
    offset: float
    width: int = WIDTH
    seed: int = 0

    def rows(self, benign: int, malicious: int, seed: int) -> LabelledFeatures:
        """Labelled rows, benign ones first."""
        rng = np.random.default_rng((self.seed, seed))
        labels = np.repeat([0, 1], [benign, malicious])
        values = np.arange(1, self.width + 1) ** -self.decay
        noise = rng.standard_normal((len(labels), self.width)) * np.sqrt(values / values.mean())
        direction = np.random.default_rng(self.seed).standard_normal(self.width)
        direction *= self.offset / np.linalg.norm(direction)
        features = np.where(labels[:, None] == 1, direction + WITHIN * noise, noise)
        return LabelledFeatures(features.astype(np.float32), labels)

    def mixture(self, count: int, share: float) -> Features:
        """Unlabelled rows, a share of them malicious."""
        malicious = round(count * share)
        return self.rows(count - malicious, malicious, seed=1).features

    def training_set(self, count: int, share: float, seeds: int = 0) -> TrainingSet:
        """A mixture with 1,000 trusted rows, seeds, and 400 labelled rows for validation."""
        given = self.rows(1000, seeds, seed=2).features
        return TrainingSet(
            unlabelled=self.mixture(count, share),
            trusted_benign=given[:1000],
            malicious_seeds=given[1000:] if seeds else None,
            validation=self.rows(200, 200, seed=3),
        )

    def test(self) -> LabelledFeatures:
        """Rows that nothing learned from."""
        return self.rows(500, 500, seed=4)
