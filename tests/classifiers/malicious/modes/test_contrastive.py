"""Mode `contrastive`: a few seeds find what the subspace score inverts; each part by itself."""

from dataclasses import replace

import numpy as np
import pytest

from classifiers.malicious.data.training_set import Fitted, LabelledFeatures, TrainingSet
from classifiers.malicious.modes.contrastive import (
    Contrastive,
    ContrastiveSettings,
    independent_seeds,
)
from classifiers.malicious.modes.ranking import auroc
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted

PLANTED = Planted(0.7, 4, width=64)


def learned(training: TrainingSet, seed: int = 0) -> Fitted:
    return Contrastive().learn(training, ContrastiveSettings(), np.random.default_rng(seed))


def reached(training: TrainingSet) -> float:
    test = PLANTED.test()
    return auroc(learned(training).model.score(test.features), test.labels)


@pytest.mark.parametrize("share", [0.005, 0.05])
def test_ten_seeds_find_what_the_subspace_inverts(share: float) -> None:
    assert reached(PLANTED.training_set(3000, share, seeds=10)) > 0.95


def test_generated_seeds_serve_where_people_gave_none() -> None:
    rows = PLANTED.rows(60, 60, seed=9)
    generated = LabelledFeatures(rows.features, rows.labels, ("one",) * 90 + ("two",) * 30)
    training = replace(PLANTED.training_set(2000, 0.05), generated=generated)
    assert reached(training) > 0.95
    found = learned(training).diagnostics
    assert (found["seeds"], found["generated_seeds"]) == (0, 60)
    assert found["density_ratio_share"] == pytest.approx(1.0, abs=0.3)
    assert found["independent_seeds"] == 0


def test_the_density_ratio_counts_less_with_seeds_and_not_where_it_disagrees() -> None:
    training = PLANTED.training_set(2000, 0.05, seeds=10)
    facts = learned(training).diagnostics
    share = facts["density_ratio_share"]
    assert isinstance(share, float)
    assert 0 < share < 0.7
    assert training.malicious_seeds is not None
    assert training.trusted_benign is not None
    # Trusted rows that look like the attacks: the ratio now points the wrong way.
    odd = np.concatenate([training.trusted_benign, PLANTED.rows(0, 900, seed=8).features])
    turned = learned(replace(training, trusted_benign=odd))
    assert turned.diagnostics["density_ratio_share"] == 0


def test_it_works_without_trusted_rows() -> None:
    training = PLANTED.training_set(2000, 0.02, seeds=20)
    assert reached(replace(training, trusted_benign=None)) > 0.95


def test_without_any_seed_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(ConfigError, match="malicious_seeds or generated: mode `contrastive` needs"):
        learned(Planted(0, 8, width=32).training_set(600, 0.05))


def test_equal_seeds_give_equal_weights() -> None:
    training = PLANTED.training_set(500, 0.05, seeds=5)
    one, other = (learned(training, 4).model.tensors() for _ in range(2))
    for name, tensor in one.items():
        np.testing.assert_array_equal(tensor, other[name])


def test_seeds_that_are_alike_count_as_few() -> None:
    training = PLANTED.training_set(500, 0.05)
    rng = np.random.default_rng(0)
    unlike = rng.standard_normal((20, 64)).astype(np.float32)
    alike = unlike[:1] + 0.3 * unlike
    counts = [
        independent_seeds(replace(training, malicious_seeds=seeds))
        for seeds in (unlike, alike, unlike[:1])
    ]
    assert counts[0] > 8
    assert counts[1] < 2
    assert counts[2] == 1
    assert independent_seeds(training) == 0
