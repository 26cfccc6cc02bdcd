"""Mode `svd` on planted clusters: it recovers what theory says it can, else it refuses."""

import numpy as np
import pytest

from classifiers.malicious.data.training_set import Fitted, TrainingSet
from classifiers.malicious.modes.ranking import OrientationError, auroc
from classifiers.malicious.modes.svd import Svd, SvdSettings
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted


def learned(training: TrainingSet, seed: int = 0) -> Fitted:
    return Svd().learn(training, SvdSettings(epochs=2), np.random.default_rng(seed))


def test_a_far_cluster_is_found_and_the_student_learns_it() -> None:
    planted = Planted(0, 8)
    fitted = learned(planted.training_set(8000, 0.05))
    test = planted.test()
    assert auroc(fitted.model.score(test.features), test.labels) > 0.99
    found = fitted.diagnostics
    kappa, share = found["kappa_auroc"], found["pseudo_positive_fraction"]
    assert isinstance(kappa, float)
    assert kappa > 0.99
    assert isinstance(share, float)
    assert 0.02 < share < 0.1
    assert found["student_epoch"] in (1, 2)


def test_an_inverted_score_is_refused() -> None:
    training = Planted(0.7, 4).training_set(8000, 0.005)
    with pytest.raises(OrientationError, match="inverted"):
        learned(training)


def test_equal_seeds_give_equal_weights() -> None:
    training = Planted(0, 8, width=16).training_set(400, 0.05)
    first, again, other = (
        learned(training, seed).model.members[0][0].weight.tobytes() for seed in (3, 3, 4)
    )
    assert first == again != other


def test_validation_is_needed() -> None:
    training = TrainingSet(np.zeros((3, 2), np.float32))
    with pytest.raises(ConfigError, match="validation: mode `svd` needs it"):
        learned(training)
