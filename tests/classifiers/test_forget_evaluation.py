"""The threshold between its two bounds, and error rates counted by hand."""

import numpy as np
import pytest

from classifiers.forget_evaluation import Evaluation, evaluate
from classifiers.head import FoldScores
from guard.errors import ConfigError


def judge(
    retain: list[float], forget: list[float], matched: dict[int, float] | None = None
) -> Evaluation:
    scores = np.array([*retain, *forget], dtype=np.float32)
    labels = np.array([0] * len(retain) + [1] * len(forget))
    names = np.zeros(len(scores), dtype=np.float32)
    for row, value in (matched or {}).items():
        names[row] = value
    folds = FoldScores(scores, np.arange(len(scores)) % 5, 1.0)
    plain = np.zeros(len(scores), dtype=np.bool_)
    return evaluate(folds, labels, plain, names, fpr=0.05, fnr=0.05, confidence=0.95)


def test_separated_classes_get_a_threshold_between_them() -> None:
    found = judge([0.1] * 100, [0.9] * 40)
    assert found.threshold == pytest.approx(0.5, abs=0.01)
    assert (found.plain.false_negative, found.plain.false_positive) == (0, 0)
    assert found.auroc == 1
    assert found.bound.method == "neyman-pearson"


def test_overlapping_classes_keep_the_false_positive_rate() -> None:
    rng = np.random.default_rng(0)
    found = judge(rng.random(400).tolist(), rng.random(100).tolist())
    assert found.threshold > 0.9
    assert found.plain.false_positive <= 0.05
    assert found.plain.false_negative > 0.8


def test_names_find_what_the_head_misses() -> None:
    retain, forget = [0.1] * 100, [0.05] * 10 + [0.9] * 40
    found = judge(retain, forget, dict.fromkeys(range(100, 110), 1.0))
    assert found.plain.false_negative == 0
    assert found.head_plain.false_negative == pytest.approx(0.2)


def test_rates_are_counted_by_class() -> None:
    found = judge([0.1] * 198 + [0.95, 0.95], [0.9] * 38 + [0.01, 0.01])
    assert found.plain.forget == 40
    assert found.plain.retain == 200
    assert found.plain.false_negative == pytest.approx(0.05)
    assert found.plain.false_positive == pytest.approx(0.01)
    assert found.report()["prompts"] == found.plain.report()
    assert found.metrics["fnr"] == found.plain.false_negative


def test_retain_prompts_that_hold_the_names_are_an_error() -> None:
    with pytest.raises(ConfigError, match="too many hold one of the request's names"):
        judge([0.1] * 100, [0.9] * 40, dict.fromkeys(range(20), 1.0))
