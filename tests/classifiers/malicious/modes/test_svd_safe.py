"""Mode `svd-safe`: whitening rescues what the literal score misses, and the rest is refused."""

from dataclasses import replace

import numpy as np
import pytest

from classifiers.malicious.data.training_set import Block
from classifiers.malicious.modes.contract import LabelledFeatures, Recipe, fit
from classifiers.malicious.modes.ranking import OrientationError, auroc
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted

QUICK = Recipe(hidden=32, epochs=2)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.mark.parametrize(("offset", "share"), [(8, 0.05), (16, 0.005)])
def test_whitening_finds_what_the_literal_score_inverts(offset: float, share: float) -> None:
    planted = Planted(0.7, offset)
    training = planted.training_set(4000, share)
    with pytest.raises(OrientationError):
        fit("svd", training, replace(QUICK, most_directions=1), rng())
    fitted = fit("svd-safe", training, QUICK, rng())
    test = planted.test()
    assert auroc(fitted.model.score(test.features), test.labels) > 0.99


def test_a_score_still_inverted_is_refused() -> None:
    with pytest.raises(OrientationError, match="AUROC"):
        fit("svd-safe", Planted(1.2, 2).training_set(4000, 0.005), QUICK, rng())


def test_purity_is_estimated_and_a_band_is_left_out() -> None:
    training = Planted(0, 8, width=64).training_set(2000, 0.05)
    found = fit("svd-safe", training, QUICK, rng()).diagnostics
    purity, kept = found["estimated_purity"], found["rows_kept"]
    assert isinstance(purity, float)
    assert purity > 0.7
    assert isinstance(kept, int)
    assert kept < 1300
    whole = fit("svd-safe", training, replace(QUICK, discard_band=False), rng()).diagnostics
    assert whole["rows_kept"] == 2000


def test_without_validation_seeds_test_the_orientation() -> None:
    planted = Planted(0, 8, width=64)
    training = replace(planted.training_set(2000, 0.05, seeds=20), validation=None)
    found = fit("svd-safe", training, QUICK, rng()).diagnostics
    assert found["orientation_tested"] is True
    assert found["student_epoch_chosen_by"] == "last"
    generated = LabelledFeatures(planted.test().features, planted.test().labels, ("own",) * 1000)
    without = replace(training, malicious_seeds=None, generated=generated)
    assert fit("svd-safe", without, QUICK, rng()).diagnostics["orientation_tested"] is True
    blind = fit("svd-safe", replace(training, malicious_seeds=None), QUICK, rng()).diagnostics
    assert (blind["orientation_tested"], blind["kappa_auroc"]) == (False, None)


def test_a_block_is_served_from_whole_rows() -> None:
    planted = Planted(0, 8, width=32)
    training = planted.training_set(800, 0.05)
    blocks = (Block("low", 0, 4), Block("high", 4, 32))
    fitted = fit("svd-safe", replace(training, blocks=blocks), QUICK, rng())
    assert fitted.diagnostics["layer"] == "high"
    rows = planted.test().features
    moved = rows.copy()
    moved[:, :4] += 5
    np.testing.assert_array_equal(fitted.model.logits(rows), fitted.model.logits(moved))


def test_trusted_rows_are_needed() -> None:
    training = replace(Planted(0, 8, width=8).training_set(100, 0.1), trusted_benign=None)
    with pytest.raises(ConfigError, match="trusted_benign: mode `svd-safe` needs it"):
        fit("svd-safe", training, QUICK, rng())
