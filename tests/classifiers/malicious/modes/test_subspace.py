"""VLMGuard's score: its arithmetic, and planted clusters where theory says what happens."""

from dataclasses import replace

import numpy as np
import pytest

from classifiers.malicious.modes.ranking import auroc
from classifiers.malicious.modes.subspace import (
    choose_cut,
    choose_subspace,
    fit_subspace,
    interior_quantiles,
    pseudo_labels,
)
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted

ROWS = 8000
AXIS = np.array([[-3.0, 0], [-1, 0], [1, 0], [3, 0]], dtype=np.float32)


def test_unit_facts_of_one_axis() -> None:
    subspace = fit_subspace(AXIS, 1)
    assert subspace.singular_values[0] == pytest.approx(np.sqrt(20))
    row = np.array([[2.0, 0.0]], dtype=np.float32)
    assert subspace.kappa(row, 1)[0] == pytest.approx(4)
    assert subspace.kappa(row, 1, weighted=True)[0] == pytest.approx(4 * np.sqrt(20))


def test_kappa_is_the_mean_over_directions() -> None:
    rows = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    subspace = fit_subspace(rows, 3)
    _, values, vectors = np.linalg.svd(rows - rows.mean(axis=0).astype(np.float64))
    np.testing.assert_allclose(subspace.singular_values, values[:3])
    squares = ((rows - rows.mean(axis=0)) @ vectors[:3].T) ** 2
    np.testing.assert_allclose(subspace.kappa(rows, 3), squares.mean(axis=1), rtol=1e-4)
    weighted = (squares * values[:3]).mean(axis=1)
    np.testing.assert_allclose(subspace.kappa(rows, 3, weighted=True), weighted, rtol=1e-4)


def test_signs_of_the_directions_do_not_matter() -> None:
    rows = Planted(0, 4, width=8).mixture(200, 0.1)
    subspace = fit_subspace(rows, 3)
    flipped = replace(subspace, vectors=subspace.vectors * np.array([-1, 1, -1]))
    np.testing.assert_array_equal(subspace.kappa(rows, 3), flipped.kappa(rows, 3))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (np.full((9, 4), np.nan), "finite"),
        (np.full((9, 4), np.inf), "finite"),
        (np.ones((9, 4)), "do not vary"),
        (np.ones((2, 4)), "directions"),
    ],
)
def test_unusable_rows_are_refused(rows: np.ndarray, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_subspace(rows.astype(np.float32), 2)


@pytest.mark.parametrize(
    ("decay", "offset", "share", "k", "low", "high"),
    [
        (0.0, 8, 0.05, 1, 0.99, 1.0),
        (0.0, 8, 0.05, 2, 0.99, 1.0),
        (0.0, 8, 0.05, 5, 0.99, 1.0),
        (0.0, 4, 0.05, 1, 0.99, 1.0),
        (0.0, 4, 0.005, 5, 0.0, 0.45),
        (0.7, 4, 0.005, 1, 0.0, 0.45),
        (0.7, 4, 0.05, 5, 0.0, 0.45),
        (0.7, 8, 0.005, 5, 0.0, 0.45),
        (0.7, 8, 0.3, 1, 0.9, 1.0),
        (0.7, 16, 0.05, 5, 0.95, 1.0),
    ],
)
def test_the_score_finds_or_inverts_as_theory_says(
    decay: float, offset: float, share: float, k: int, low: float, high: float
) -> None:
    planted = Planted(decay, offset)
    subspace = fit_subspace(planted.mixture(ROWS, share), k)
    test = planted.test()
    assert low <= auroc(subspace.kappa(test.features, k), test.labels) <= high


def test_ties_keep_the_smallest_k() -> None:
    planted = Planted(0, 12, width=16)
    validation = planted.rows(40, 40, seed=3)
    found = choose_subspace(planted.mixture(600, 0.1), validation)
    assert found.k == 1
    assert auroc(found.kappa(validation.features), validation.labels) == 1.0


def test_candidates_are_forty_interior_quantiles() -> None:
    scores = np.arange(42, dtype=np.float64)
    np.testing.assert_allclose(interior_quantiles(scores), np.arange(1, 41))
    assert len(interior_quantiles(np.zeros(10))) == 1


def test_the_lowest_of_equal_cuts_wins() -> None:
    scores, labels = np.array([0.0, 1, 8, 9]), np.array([0, 0, 1, 1])
    assert choose_cut(np.array([0.5, 2.0, 3, 7]), scores, labels) == 2


def test_an_empty_pseudo_class_is_refused() -> None:
    kappa = np.array([1.0, 2, 3])
    with pytest.raises(ConfigError, match="pseudo-malicious"):
        pseudo_labels(kappa, 3)
    with pytest.raises(ConfigError, match="pseudo-benign"):
        pseudo_labels(kappa, 0.5)
    np.testing.assert_array_equal(pseudo_labels(kappa, 2), [0, 0, 1])
