"""Calibration: conformal p-values by class, from lists and from artifacts."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.artifacts.folder import write
from guard.artifacts.manifest import draft
from guard.detectors.calibration import BENIGN, MALICIOUS, Calibration
from guard.detectors.weights import Weights
from guard.terms.errors import ArtifactError

BENIGN_SCORES = [0.1, 0.2, 0.2, 0.4]
MALICIOUS_SCORES = [0.3, 0.8, 0.9]


@pytest.mark.parametrize(
    ("score", "benign", "malicious"),
    [
        (0.0, 5 / 5, 1 / 4),
        (0.2, 4 / 5, 1 / 4),
        (0.3, 2 / 5, 2 / 4),
        (0.4, 2 / 5, 2 / 4),
        (0.85, 1 / 5, 3 / 4),
        (1.0, 1 / 5, 4 / 4),
    ],
)
def test_p_values_count_scores_at_least_as_extreme(
    score: float, benign: float, malicious: float
) -> None:
    calibration = Calibration(BENIGN_SCORES, MALICIOUS_SCORES)
    assert calibration.p_benign(score) == benign
    assert calibration.p_malicious(score) == malicious


def test_an_unknown_class_has_no_p_value() -> None:
    calibration = Calibration(BENIGN_SCORES)
    assert calibration.p_benign(0.5) is not None
    assert calibration.p_malicious(0.5) is None
    assert Calibration().p_benign(0.5) is None


SAMPLES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40)


@given(sample=SAMPLES, at=st.floats(0, 1, width=32))
def test_p_values_are_shares_and_move_with_the_score(sample: list[float], at: float) -> None:
    calibration = Calibration(sample, sample)
    falling = [calibration.p_benign(score) or 0 for score in (0.0, at, 1.0)]
    rising = [calibration.p_malicious(score) or 0 for score in (0.0, at, 1.0)]
    assert falling == sorted(falling, reverse=True)
    assert rising == sorted(rising)
    assert all(1 / (len(sample) + 1) <= level <= 1 for level in falling + rising)


def test_p_values_are_valid_for_new_prompts_of_the_class() -> None:
    """P(p <= a) <= a, over draws of the sample: with ties too."""
    rng = np.random.default_rng(3)
    draws = np.round(rng.random((2000, 20)), 1)
    levels = np.array([Calibration(row[1:]).p_benign(row[0]) for row in draws])
    for level in (0.05, 0.1, 0.25, 0.5):
        assert (levels <= level).mean() <= level + 3 * np.sqrt(level * (1 - level) / 2000)


def test_stored_samples_are_read_back(tmp_path: Path) -> None:
    calibration = Calibration(BENIGN_SCORES[::-1], MALICIOUS_SCORES)
    weights = Weights(write(tmp_path / "a", draft("malicious", "x"), tensors=calibration.tensors()))
    read = Calibration.from_weights(weights)
    assert read is not None
    np.testing.assert_array_equal(read.benign, calibration.benign)
    np.testing.assert_array_equal(read.malicious, calibration.malicious)
    weights.finish()


def test_artifacts_without_samples_have_no_calibration(tmp_path: Path) -> None:
    tensors = {"weight": np.ones(2, dtype=np.float32)}
    weights = Weights(write(tmp_path / "a", draft("malicious", "x"), tensors=tensors))
    assert Calibration.from_weights(weights) is None


@pytest.mark.parametrize("name", [BENIGN, MALICIOUS])
def test_samples_that_are_no_scores_are_named(tmp_path: Path, name: str) -> None:
    tensors = {name: np.array([0.5, 1.5], dtype=np.float32)}
    weights = Weights(write(tmp_path / "a", draft("malicious", "x"), tensors=tensors))
    with pytest.raises(ArtifactError, match=f"tensors.{name}: holds scores outside"):
        Calibration.from_weights(weights)


@pytest.mark.parametrize("sample", [[[0.1]], [float("nan")]])
def test_samples_must_be_one_finite_row(sample: list[float]) -> None:
    with pytest.raises(ValueError, match="one row of finite numbers"):
        Calibration(sample)
