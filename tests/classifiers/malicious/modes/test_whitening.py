"""Whitening: unit covariance on trusted rows, clipped norms, and nothing that blows up."""

import numpy as np
import pytest

from classifiers.malicious.feature_model import linear
from classifiers.malicious.modes.whitening import Shrinkage, fit_whitening
from tests.classifiers.malicious.planted import Planted

TRUSTED = Planted(1.2, 0, width=24).rows(4000, 0, seed=1).features


@pytest.mark.parametrize("shrinkage", ["ledoit-wolf", "tenth"])
def test_trusted_rows_become_round(shrinkage: Shrinkage) -> None:
    whitening = fit_whitening(TRUSTED, shrinkage)
    values = np.linalg.eigvalsh(np.cov(whitening.apply(TRUSTED).T))
    before = np.linalg.eigvalsh(np.cov(TRUSTED.T))
    assert values.max() / values.min() < 0.2 * before.max() / before.min()
    np.testing.assert_allclose(whitening.apply(TRUSTED).mean(axis=0), 0, atol=0.05)


def test_norms_are_clipped_at_the_quantile() -> None:
    whitening = fit_whitening(TRUSTED, clip_quantile=0.9)
    lengths = np.linalg.norm(whitening.apply(TRUSTED), axis=1)
    assert lengths.max() <= whitening.norm_clip * 1.0001
    assert 0.08 < (lengths >= whitening.norm_clip * 0.9999).mean() < 0.12
    far = whitening.apply(TRUSTED[:1] + 1000)
    assert np.linalg.norm(far) == pytest.approx(whitening.norm_clip, rel=1e-4)


def test_a_model_applies_it_as_the_trainer_does() -> None:
    whitening = fit_whitening(TRUSTED)
    model = whitening.model(linear(np.ones(24), 0.5))
    np.testing.assert_array_equal(model.prepared(TRUSTED), whitening.apply(TRUSTED))


def test_constant_columns_do_not_blow_up() -> None:
    rows = TRUSTED.copy()
    rows[:, 3] = 1
    whitening = fit_whitening(rows)
    assert np.abs(whitening.matrix).max() < 1e4
    assert np.isfinite(whitening.apply(rows)).all()


@pytest.mark.parametrize("rows", [TRUSTED[:1], np.ones((5, 3), np.float32)])
def test_rows_that_do_not_vary_are_refused(rows: np.ndarray) -> None:
    with pytest.raises(ValueError, match="trusted_benign"):
        fit_whitening(rows)
