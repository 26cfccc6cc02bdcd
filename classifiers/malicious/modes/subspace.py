"""VLMGuard's score: how far rows reach along the unlabelled mixture's leading directions.

To the letter of the second version's code (arXiv 2410.00296, TMLR 2026): no row is normalised,
the mean is the unlabelled training rows' alone, and no orientation is assumed or tested here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.data.training_set import LabelledFeatures, Labels
from classifiers.malicious.modes.ranking import auroc
from guard.terms.detector import Features
from guard.terms.errors import ConfigError

MOST_DIRECTIONS = 5
INTERIOR_QUANTILES = 40

Kappa = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Subspace:
    """The leading directions of centred rows: mean (d,), vectors (d, k), singular values (k,)."""

    mean: NDArray[np.float64]
    vectors: NDArray[np.float64]
    singular_values: NDArray[np.float64]

    def kappa(self, features: Features, k: int, *, weighted: bool = False) -> Kappa:
        """Mean over the first k directions of squared centred projections, shape (n,).

        With `weighted` each square is multiplied by its singular value (not by its square).
        """
        centred = np.asarray(features, dtype=np.float64) - self.mean  # (n, d)
        squares = (centred @ self.vectors[:, :k]) ** 2  # (n, k)
        if weighted:
            squares = squares * self.singular_values[:k]
        kappa: NDArray[np.float64] = squares.mean(axis=1)
        return kappa


@dataclass(frozen=True, slots=True)
class ChosenSubspace:
    """A subspace and the k that validation chose."""

    subspace: Subspace
    k: int
    weighted: bool

    def kappa(self, features: Features) -> Kappa:
        """The score of rows (n, d), shape (n,)."""
        return self.subspace.kappa(features, self.k, weighted=self.weighted)


def fit_subspace(features: Features, directions: int) -> Subspace:
    """The leading directions of rows (n, d) about their mean, in float64.

    ValueError where there are too few rows or columns, or they are not finite or do not vary.
    """
    from scipy.linalg import eigh

    rows = np.asarray(features, dtype=np.float64)
    if not np.isfinite(rows).all():
        raise ValueError("unlabelled: features must be finite")
    if not 1 <= directions <= min(rows.shape) - 1:
        raise ValueError(
            f"unlabelled: {directions} directions cannot be fitted to rows of shape {rows.shape}"
        )
    mean = rows.mean(axis=0)
    centred = rows - mean  # (n, d)
    if not np.any(centred):
        raise ValueError("unlabelled: features do not vary")
    width = rows.shape[1]
    # The right singular vectors of the rows are the eigenvectors of their Gram matrix (d, d), which
    # stays small however many rows there are. Rounding may leave an eigenvalue just below 0.
    values, vectors = eigh(centred.T @ centred, subset_by_index=(width - directions, width - 1))
    return Subspace(mean, vectors[:, ::-1], np.sqrt(np.maximum(values[::-1], 0)))


def choose_subspace(
    unlabelled: Features, validation: LabelledFeatures, *, weighted: bool = False
) -> ChosenSubspace:
    """The k in 1..MOST_DIRECTIONS with the best validation AUROC of kappa; ties: the smallest."""
    subspace = fit_subspace(unlabelled, min(MOST_DIRECTIONS, min(unlabelled.shape) - 1))
    # One decomposition serves every k: the leading k directions are the first k of the most.
    found = [
        auroc(subspace.kappa(validation.features, k, weighted=weighted), validation.labels)
        for k in range(1, len(subspace.singular_values) + 1)
    ]
    return ChosenSubspace(subspace, int(np.argmax(found)) + 1, weighted)


def interior_quantiles(scores: Kappa, count: int = INTERIOR_QUANTILES) -> Kappa:
    """The distinct values of the quantiles i / (count + 1), i = 1..count, ascending."""
    return np.unique(np.quantile(scores, np.arange(1, count + 1) / (count + 1)))


def choose_cut(candidates: Kappa, scores: Kappa, labels: Labels) -> float:
    """The candidate T with the best balanced accuracy of (score > T); ties go to the lowest."""
    positive = labels == 1
    # Balanced: validation may hold few attacks, and accuracy alone would then call nothing one.
    accuracies = [
        ((scores[positive] > cut).mean() + (scores[~positive] <= cut).mean()) / 2
        for cut in candidates
    ]
    return float(candidates[int(np.argmax(accuracies))])


def pseudo_labels(kappa: Kappa, cut: float) -> Labels:
    """1 where kappa > T, else 0: every row gets one. ConfigError where a class stays empty."""
    labels = (kappa > cut).astype(np.int_)
    for label, name in ((0, "benign"), (1, "malicious")):
        if not (labels == label).any():
            raise ConfigError(f"unlabelled: the pseudo-{name} class is empty at T = {cut:g}")
    return labels
