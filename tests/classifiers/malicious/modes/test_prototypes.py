"""Nearness units: what the dense layers serve is what was fitted."""

import numpy as np

from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.directions import Direction
from classifiers.malicious.modes.prototypes import MOST_PROTOTYPES, as_member, fit_nearness

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((300, 8)).astype(np.float32)


def test_layers_give_the_sum_of_the_parts() -> None:
    direction = Direction(RNG.standard_normal(8), 0.3)
    near, far = fit_nearness(ROWS[:5], ROWS, 0), fit_nearness(ROWS[50:200], ROWS, 0)
    model = FeatureModel((as_member(direction, [(near, 0.7), (far, -0.4)]),))
    expected = direction.score(ROWS) + 0.7 * near.score(ROWS) - 0.4 * far.score(ROWS)
    np.testing.assert_allclose(model.logits(ROWS), expected, rtol=1e-3, atol=1e-3)
    assert len(near.prototypes) == 5
    assert len(far.prototypes) == MOST_PROTOTYPES


def test_a_direction_alone_is_a_member_too() -> None:
    direction = Direction(RNG.standard_normal(8), -2.0)
    model = FeatureModel((as_member(direction, []),))
    np.testing.assert_allclose(model.logits(ROWS), direction.score(ROWS), rtol=1e-4, atol=1e-4)


def test_nearness_is_standardised_and_higher_near_the_examples() -> None:
    rows = ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True)
    scores = fit_nearness(rows[:3], rows, 0).score(rows)
    assert abs(scores.mean()) < 1e-6
    assert abs(scores.std() - 1) < 1e-6
    assert scores[:3].min() > np.quantile(scores, 0.9)
