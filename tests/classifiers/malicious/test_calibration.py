"""Scaling keeps order and resolution; reliability is what it says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.malicious.calibration import (
    LARGEST_LOGIT,
    MOST_KEPT,
    Scaling,
    balanced_weights,
    calibration_error,
    fit_scaling,
    kept_scores,
    reliability,
)
from classifiers.malicious.feature_model import Dense, FeatureModel, linear
from guard.detectors.weights import logistic

NORMAL = np.random.default_rng(3).standard_normal


def f32(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(values, dtype=np.float32)


def test_scaled_scores_are_probabilities() -> None:
    """Two normals two apart: the true log odds are 2x - 2, whatever scale the logits came in."""
    benign, malicious = f32(NORMAL(4000)), f32(NORMAL(4000) + 2)
    scaling = fit_scaling(benign * 30, malicious * 30)
    assert scaling.slope * 30 == pytest.approx(2, rel=0.06)
    assert scaling.offset == pytest.approx(-2, rel=0.06)
    scores = logistic(scaling.of(np.concatenate([benign, malicious]) * 30))
    labels = np.repeat([0, 1], 4000)
    assert calibration_error(scores, labels) < 0.02


@given(st.lists(st.floats(-1e4, 1e4, width=32), min_size=2, max_size=30), st.integers(1, 20))
def test_order_is_kept_and_scores_stay_apart(logits: list[float], split: int) -> None:
    values = f32(logits)
    scaling = fit_scaling(values[:split], values[split:])
    assert scaling.slope > 0
    scaled = scaling.of(values)
    assert np.abs(scaled).max() <= LARGEST_LOGIT * 1.001
    assert (np.diff(scaled[np.argsort(values, kind="stable")]) >= 0).all()


def test_inverted_or_missing_classes_are_only_bounded() -> None:
    inverted = fit_scaling(f32([50, 60]), f32([1, 2]))
    assert (inverted.slope, inverted.offset) == (LARGEST_LOGIT / 60, 0)
    assert fit_scaling(f32([1, 2]), f32([])) == Scaling()


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_scaled_model_gives_scaled_logits(outputs: int) -> None:
    rng = np.random.default_rng(0)
    hidden = Dense(f32(rng.standard_normal((6, 4))), f32(rng.standard_normal(6)))
    last = Dense(f32(rng.standard_normal((outputs, 6))), f32(rng.standard_normal(outputs)))
    model = FeatureModel(((hidden, last), linear(rng.standard_normal(4), 0.3), (hidden, last)))
    features = f32(rng.standard_normal((9, 4)))
    scaling = Scaling(0.25, -1.5)
    scaled = scaling.model(model).logits(features)
    assert scaled == pytest.approx(scaling.of(model.logits(features)), abs=1e-5)


def test_few_scores_are_kept_sorted() -> None:
    rng = np.random.default_rng(0)
    many = kept_scores(f32(rng.random(5000)), rng)
    assert len(many) == MOST_KEPT
    assert (np.diff(many) >= 0).all()
    assert kept_scores(f32([0.5, 0.25]), rng).tolist() == [0.25, 0.5]


def test_reliability_weighs_classes_alike() -> None:
    scores, labels = f32([0.05, 0.05, 0.05, 0.95]), np.array([0, 0, 1, 1])
    low, high = reliability(scores, labels)
    assert (low.rows, high.rows) == (3, 1)
    assert low.malicious == pytest.approx(0.25 / 0.75)
    assert high.malicious == 1
    assert calibration_error(scores, labels) == pytest.approx(
        abs(0.75 * 0.05 - 0.25) + abs(0.25 * 0.95 - 0.25)
    )


def test_weights_add_up_to_one() -> None:
    assert balanced_weights([0, 0, 0, 1]).sum() == pytest.approx(1)
    assert balanced_weights([0, 0]).tolist() == [0.5, 0.5]
