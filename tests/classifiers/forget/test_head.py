"""Heads: the serving class's scores, and folds that keep groups together."""

import numpy as np
import pytest

from classifiers.forget.head import Labels, balanced_log_loss, cross_validate, fit_head
from guard.detectors.forget.detector import ForgetClassifier
from guard.terms.detector import Features


def rows(count: int = 200) -> tuple[Features, Labels, list[str]]:
    rng = np.random.default_rng(0)
    labels = (np.arange(count) % 5 == 0).astype(int)
    features = rng.standard_normal((count, 6)).astype(np.float32)
    features[:, 0] += 4 * labels
    return features, labels, [str(number // 2) for number in range(count)]


def test_head_scores_as_the_serving_class_does() -> None:
    features, labels, _ = rows()
    head = fit_head(features, labels, 1.0)
    served = ForgetClassifier(head.weight, head.bias, [], threshold=0.5, encoder="e")
    np.testing.assert_array_equal(head.score(features), served.score_features(features))
    assert ((head.score(features) >= 0.5) == labels).mean() > 0.95


def test_folds_keep_groups_together_and_cover_all_rows() -> None:
    features, labels, groups = rows()
    found = cross_validate(features, labels, groups, (0.01, 1.0))
    for group in set(groups):
        members = [row for row, name in enumerate(groups) if name == group]
        assert len({found.folds[row] for row in members}) == 1
    assert set(found.folds) == {0, 1, 2, 3, 4}
    assert np.isfinite(found.log_odds).all()


def test_the_strength_with_the_lowest_loss_is_kept() -> None:
    features, labels, groups = rows()
    best = cross_validate(features, labels, groups, (1e-6, 1.0))
    weak = cross_validate(features, labels, groups, (1e-6,))
    assert best.strength == 1.0
    assert balanced_log_loss(best.log_odds, labels) < balanced_log_loss(weak.log_odds, labels)


def test_loss_weighs_classes_alike() -> None:
    labels = np.array([0, 0, 0, 1])
    log_odds = np.array([0, 0, 0, -np.log(3)], dtype=np.float32)
    assert balanced_log_loss(log_odds, labels) == pytest.approx((np.log(2) + np.log(4)) / 2)


def test_rows_outside_the_taught_are_scored_only() -> None:
    features, labels, groups = rows()
    taught = np.ones(len(labels), dtype=np.bool_)
    taught[:100] = False
    wrong = labels.copy()
    wrong[:100] = 1 - wrong[:100]
    right = cross_validate(features, labels, groups, (1.0,), taught)
    found = cross_validate(features, wrong, groups, (1.0,), taught)
    assert len(found.log_odds) == len(labels)
    assert balanced_log_loss(found.log_odds[100:], labels[100:]) < 0.2
    assert balanced_log_loss(right.log_odds[:100], labels[:100]) < 0.2
