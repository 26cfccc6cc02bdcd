"""Whitening by trusted benign rows, so that benign variance no longer hides malicious offsets."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.feature_model import Array, FeatureModel, Member
from guard.detectors.malicious.features import Preparation
from guard.terms.detector import Features

Shrinkage = Literal["ledoit-wolf", "tenth"]


@dataclass(frozen=True, slots=True)
class Whitening:
    """Rows become (x - mean) @ matrix, then no longer than `norm_clip`; all served as they are."""

    mean: Array
    matrix: Array
    norm_clip: float

    def apply(self, features: Features) -> Features:
        """Whitened rows, shape (n, d)."""
        return Preparation(self.mean, self.matrix, self.norm_clip).apply(features)

    def model(self, *members: Member) -> FeatureModel:
        """A model of members that were trained on whitened rows."""
        return FeatureModel(members, self.mean, self.matrix, self.norm_clip)


def fit_whitening(
    trusted: Features, shrinkage: Shrinkage = "ledoit-wolf", clip_quantile: float = 0.995
) -> Whitening:
    """Mean and inverse square root of the shrunk covariance of trusted benign rows (n, d).

    `ledoit-wolf` finds how far to shrink; `tenth` is 0.9 S + 0.1 tr(S)/d I. Whitened rows are
    cut to the length that a share `clip_quantile` of the trusted rows stays below. ValueError
    where there are fewer than two rows or they do not vary.
    """
    rows = np.asarray(trusted, dtype=np.float64)
    if len(rows) < 2 or not np.ptp(rows, axis=0).any():
        raise ValueError("trusted_benign: whitening needs rows that vary")
    mean = rows.mean(axis=0)
    values, vectors = np.linalg.eigh(_covariance(rows - mean, shrinkage))
    # A direction in which trusted rows never move must not blow others up without bound.
    scales = 1 / np.sqrt(np.maximum(values, 1e-6 * values.max()))
    matrix = (vectors * scales) @ vectors.T
    lengths = np.linalg.norm((rows - mean) @ matrix, axis=1)
    longest = float(np.float32(np.quantile(lengths, clip_quantile)))
    return Whitening(mean.astype(np.float32), matrix.astype(np.float32), longest)


def _covariance(centred: NDArray[np.float64], shrinkage: Shrinkage) -> NDArray[np.float64]:
    if shrinkage == "ledoit-wolf":
        from sklearn.covariance import ledoit_wolf

        found: NDArray[np.float64] = ledoit_wolf(centred, assume_centered=True)[0]
        return found
    sample = centred.T @ centred / len(centred)
    shrunk: NDArray[np.float64] = 0.9 * sample
    shrunk += 0.1 * np.trace(sample) / len(sample) * np.eye(len(sample))
    return shrunk
