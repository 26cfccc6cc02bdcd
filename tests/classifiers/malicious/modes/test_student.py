"""The student: its choice of epoch, and that one generator decides everything."""

import numpy as np

from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.ranking import auroc
from classifiers.malicious.modes.student import Student, train_student
from tests.classifiers.malicious.planted import Planted

PLANTED = Planted(0, 5, width=12)
CHECKED = PLANTED.rows(100, 100, seed=2)


def student(seed: int) -> Student:
    rows = PLANTED.rows(300, 100, seed=1)
    return train_student(
        *(rows.features, rows.labels),
        hidden=16,
        epochs=4,
        rate=0.01,
        rng=np.random.default_rng(seed),
        validation=CHECKED,
    )


def test_the_best_epoch_is_taken() -> None:
    found = student(0)
    assert [layer.weight.shape for layer in found.member] == [(16, 12), (2, 16)]
    assert 1 <= found.epoch <= 4
    scores = FeatureModel((found.member,)).logits(CHECKED.features)
    assert auroc(scores, CHECKED.labels) == found.validation_auroc
    assert found.validation_auroc > 0.95


def test_equal_seeds_give_equal_weights() -> None:
    first, again, other = (student(seed).member[0].weight.tobytes() for seed in (0, 0, 1))
    assert first == again != other
