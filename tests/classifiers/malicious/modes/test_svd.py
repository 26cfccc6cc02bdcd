"""Mode `svd` on planted clusters: it recovers what theory says it can, else it refuses."""

import numpy as np
import pytest

from classifiers.malicious.data.training_set import Block
from classifiers.malicious.feature_model import digest_of
from classifiers.malicious.modes.contract import Recipe, TrainingSet, fit
from classifiers.malicious.modes.ranking import OrientationError, auroc
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted

QUICK = Recipe(epochs=2)


def test_a_far_cluster_is_found_and_the_student_learns_it() -> None:
    planted = Planted(0, 8)
    fitted = fit("svd", planted.training_set(8000, 0.05), QUICK, np.random.default_rng(0))
    test = planted.test()
    assert auroc(fitted.model.score(test.features), test.labels) > 0.99
    found = fitted.diagnostics
    kappa, share = found["kappa_auroc"], found["pseudo_positive_fraction"]
    assert isinstance(kappa, float)
    assert kappa > 0.99
    assert isinstance(share, float)
    assert 0.02 < share < 0.1
    assert found["student_epoch_chosen_by"] == "validation"


def test_an_inverted_score_is_refused() -> None:
    training = Planted(0.7, 4).training_set(8000, 0.005)
    with pytest.raises(OrientationError, match="inverted"):
        fit("svd", training, QUICK, np.random.default_rng(0))


def test_equal_seeds_give_equal_weights() -> None:
    training = Planted(0, 8, width=16).training_set(400, 0.05)
    digests = {
        digest_of(fit("svd", training, QUICK, np.random.default_rng(seed)).model.tensors())
        for seed in (3, 3, 4)
    }
    assert len(digests) == 2


def test_the_chosen_blocks_columns_alone_are_served() -> None:
    planted = Planted(0, 8, width=16)
    small = planted.training_set(400, 0.05)
    assert small.validation is not None
    noise = np.random.default_rng(0).standard_normal((1000, 16)).astype(np.float32)
    training = TrainingSet(
        unlabelled=np.concatenate([noise[:400], small.unlabelled], axis=1),
        ids=small.ids,
        validation=type(small.validation)(
            np.concatenate([noise[400:800], small.validation.features], axis=1),
            small.validation.labels,
        ),
        blocks=(Block("first", 0, 16), Block("second", 16, 32)),
    )
    fitted = fit("svd", training, QUICK, np.random.default_rng(0))
    assert fitted.diagnostics["layer"] == "second"
    rows = np.concatenate([noise[:5], planted.test().features[:5]], axis=1)
    moved = rows + np.repeat([9.0, 0.0], 16).astype(np.float32)
    np.testing.assert_allclose(fitted.model.logits(rows), fitted.model.logits(moved), rtol=1e-5)


def test_validation_is_needed() -> None:
    training = TrainingSet(np.zeros((3, 2), np.float32), ("a", "b", "c"))
    with pytest.raises(ConfigError, match="validation: mode `svd` needs it"):
        fit("svd", training, QUICK, np.random.default_rng(0))
