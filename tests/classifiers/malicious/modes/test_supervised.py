"""Mode `supervised`: sources count alike, regularisation is chosen on sources left out."""

from dataclasses import replace

import numpy as np
import pytest

from classifiers.malicious.modes.contract import LabelledFeatures, Recipe, TrainingSet, fit
from classifiers.malicious.modes.ranking import auroc
from guard.terms.errors import ConfigError
from tests.classifiers.malicious.planted import Planted

PLANTED = Planted(0.7, 3, width=32)


def given(sources: int) -> TrainingSet:
    rows = PLANTED.rows(300, 100, seed=1)
    names = tuple(f"{'bm'[label]}{row % sources}" for row, label in enumerate(rows.labels))
    labelled = LabelledFeatures(rows.features, rows.labels, names)
    trusted = PLANTED.rows(300, 0, seed=2).features
    return TrainingSet(trusted, tuple(map(str, range(300))), trusted, supervised=labelled)


@pytest.mark.parametrize("whitened", [False, True])
@pytest.mark.parametrize("sources", [1, 5])
def test_it_learns(whitened: bool, sources: int) -> None:
    recipe = Recipe(whitened=whitened)
    fitted = fit("supervised", given(sources), recipe, np.random.default_rng(0))
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
    training = TrainingSet(
        benign,
        tuple(map(str, range(400))),
        supervised=LabelledFeatures(features, labels, sources),
    )
    model = fit("supervised", training, Recipe(), np.random.default_rng(0)).model
    first, second = model.members[0][0].weight[0]
    assert 0.5 < first / second < 2


def test_both_classes_are_needed() -> None:
    training = given(2)
    rng = np.random.default_rng(0)
    assert training.supervised is not None
    one_class = replace(training.supervised, labels=np.zeros(400, dtype=np.int_))
    with pytest.raises(ConfigError, match="no malicious row"):
        fit(
            "supervised", replace(training, supervised=one_class), Recipe(), np.random.default_rng()
        )
    with pytest.raises(ConfigError, match="supervised"):
        fit("supervised", replace(training, supervised=None), Recipe(), rng)
