"""Figures of a ranking, and the refusal of an inverted one."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from classifiers.malicious.modes.ranking import OrientationError, auroc, check_orientation
from guard.terms.errors import ConfigError


def test_auroc_is_the_libraries() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 200)
    scores = np.round(rng.standard_normal(200) + labels, 1)
    assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))
    assert auroc(scores, np.zeros(200, dtype=int)) == 0.5


def test_an_inverted_score_is_refused_with_its_figures() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    scores = rng.standard_normal(200)
    with pytest.raises(OrientationError, match=r"AUROC is 0\.1\d+ .*error 0\.0\d+"):
        check_orientation(scores - 1.5 * labels, labels, rng)
    found = check_orientation(scores + labels, labels, rng)
    assert found.auroc > 0.7
    assert 0 < found.error < 0.1


def test_orientation_needs_both_classes() -> None:
    with pytest.raises(ConfigError, match="both classes"):
        check_orientation(np.zeros(4), np.zeros(4, dtype=int), np.random.default_rng(0))
