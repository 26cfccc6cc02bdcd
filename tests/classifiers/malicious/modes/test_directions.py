"""Weighted logistic directions."""

import numpy as np

from classifiers.malicious.modes.directions import Direction, even_weights, fit_direction
from classifiers.malicious.modes.ranking import auroc

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((400, 5)).astype(np.float32)
LABELS = (ROWS[:, 0] + 0.3 * RNG.standard_normal(400) > 1).astype(np.int_)


def test_it_separates_and_does_not_depend_on_the_features_scale() -> None:
    weights = np.ones(400)
    one = fit_direction(ROWS, LABELS, weights, 0.1)
    large = fit_direction(100 * ROWS, LABELS, weights, 0.1)
    assert auroc(one.score(ROWS), LABELS) > 0.95
    np.testing.assert_allclose(one.score(ROWS), large.score(100 * ROWS), rtol=0.02, atol=0.02)


def test_rows_of_weight_zero_teach_nothing() -> None:
    wrong = np.concatenate([LABELS, 1 - LABELS])
    weights = np.repeat([1.0, 0.0], 400)
    found = fit_direction(np.concatenate([ROWS, ROWS]), wrong, weights, 1.0)
    assert auroc(found.score(ROWS), LABELS) > 0.95


def test_directions_are_standardised_and_added() -> None:
    direction = Direction(np.arange(5.0), 3.0).standardised(ROWS)
    assert abs(direction.score(ROWS).mean()) < 1e-6
    assert abs(direction.score(ROWS).std() - 1) < 1e-6
    total = direction.plus(direction, 0.5).score(ROWS)
    np.testing.assert_allclose(total, 1.5 * direction.score(ROWS), rtol=1e-4, atol=1e-6)


def test_sources_count_alike() -> None:
    np.testing.assert_allclose(even_weights(["a", "a", "a", "b"]), [1 / 6, 1 / 6, 1 / 6, 1 / 2])
