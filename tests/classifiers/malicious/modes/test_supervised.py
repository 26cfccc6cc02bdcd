"""Mode `supervised`: sources count alike, regularisation is chosen on sources left out."""

from dataclasses import replace

import numpy as np
import pytest

from classifiers.malicious.data.training_set import Fitted, LabelledFeatures, TrainingSet
from classifiers.malicious.modes.ranking import auroc
from classifiers.malicious.modes.supervised import Supervised, SupervisedSettings
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted

PLANTED = Planted(0.7, 3, width=32)


def learned(training: TrainingSet) -> Fitted:
    return Supervised().learn(training, SupervisedSettings(), np.random.default_rng(0))


def given(sources: int) -> TrainingSet:
    rows = PLANTED.rows(300, 100, seed=1)
    names = tuple(f"{'bm'[label]}{row % sources}" for row, label in enumerate(rows.labels))
    labelled = LabelledFeatures(rows.features, rows.labels, names)
    trusted = PLANTED.rows(300, 0, seed=2).features
    return TrainingSet(trusted, trusted, labelled=labelled)


@pytest.mark.parametrize("sources", [1, 5])
def test_it_learns(sources: int) -> None:
    fitted = learned(given(sources))
    test = PLANTED.test()
    assert auroc(fitted.model.score(test.features), test.labels) > 0.9
    left_out = fitted.diagnostics["left_out_auroc"]
    assert (left_out is None) == (sources == 1)


def test_a_large_source_does_not_drown_a_small_one() -> None:
    rng = np.random.default_rng(0)
    benign = rng.standard_normal((400, 2)).astype(np.float32)
    large = benign[:300] + np.array([6, 0], np.float32)
    small = benign[:10] + np.array([0, 6], np.float32)
    labels = np.repeat([0, 1, 1], [400, 300, 10])
    sources = ("b",) * 400 + ("large",) * 300 + ("small",) * 10
    features = np.concatenate([benign, large, small])
    training = TrainingSet(benign, labelled=LabelledFeatures(features, labels, sources))
    model = learned(training).model
    first, second = model.members[0][0].weight[0]
    assert 0.5 < first / second < 2


def test_both_classes_are_needed() -> None:
    training = given(2)
    assert training.labelled is not None
    one_class = replace(training.labelled, labels=np.zeros(400, dtype=np.int_))
    with pytest.raises(ConfigError, match="labelled: there is no malicious row"):
        learned(replace(training, labelled=one_class))
    with pytest.raises(ConfigError, match="labelled: mode `supervised` needs it"):
        learned(replace(training, labelled=None))
