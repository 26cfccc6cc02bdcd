"""The student: its start, its choice of epoch, and that seeds decide everything."""

import numpy as np

from classifiers.malicious.data.training_set import Recipe
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.ranking import auroc
from classifiers.malicious.modes.student import init_digest, initial_member, train_student
from tests.classifiers.malicious.planted import Planted

RECIPE = Recipe(hidden=16, epochs=4, learning_rate=0.01)
PLANTED = Planted(0, 5, width=12)


def test_a_start_is_fixed_by_its_seed() -> None:
    one = initial_member(12, 16, seed=1)
    assert [layer.weight.shape for layer in one] == [(16, 12), (2, 16)]
    assert init_digest(one) == init_digest(initial_member(12, 16, seed=1))
    assert init_digest(one) != init_digest(initial_member(12, 16, seed=2))
    assert np.abs(one[0].weight).max() <= 12**-0.5


def test_the_first_of_the_best_epochs_is_taken() -> None:
    rows, checked = PLANTED.rows(300, 100, seed=1), PLANTED.rows(100, 100, seed=2)
    init = initial_member(12, 16, seed=0)
    student = train_student(
        rows.features, rows.labels, RECIPE, init=init, seed=0, validation=checked
    )
    assert 1 <= student.epoch <= RECIPE.epochs
    assert student.init == init_digest(init)
    scores = FeatureModel((student.member,)).logits(checked.features)
    assert auroc(scores, checked.labels) == student.validation_auroc
    assert student.validation_auroc is not None
    assert student.validation_auroc > 0.95


def test_without_validation_it_is_the_last_epoch() -> None:
    rows = PLANTED.rows(100, 20, seed=1)
    init = initial_member(12, 16, seed=0)
    student = train_student(rows.features, rows.labels, RECIPE, init=init, seed=0)
    assert (student.epoch, student.validation_auroc) == (RECIPE.epochs, None)


def test_the_start_is_not_changed_and_the_seed_orders_batches() -> None:
    rows = PLANTED.rows(100, 100, seed=1)
    init = initial_member(12, 16, seed=0)
    before = init_digest(init)
    found = [
        init_digest(train_student(rows.features, rows.labels, RECIPE, init=init, seed=s).member)
        for s in (0, 0, 1)
    ]
    assert found[0] == found[1] != found[2]
    assert init_digest(init) == before
