"""Distances count in both directions, by weight and scale."""

import numpy as np
import pytest

from classifiers.corruption.measures import SCALES, WEIGHTS, distance, means, measurable
from classifiers.corruption.questions import ForgetQuestion

REFERENCE = {"rouge": 0.4, "leak": 0.02}


def test_worse_than_never_learned_is_as_far_as_better() -> None:
    above = distance({"rouge": 0.5, "leak": 0.02}, REFERENCE, {})
    below = distance({"rouge": 0.3, "leak": 0.02}, REFERENCE, {})
    assert above == pytest.approx(below) == pytest.approx(2 / np.sqrt(2))
    assert distance(REFERENCE, REFERENCE, {}) == 0


def test_leaks_count_above_the_reference_only() -> None:
    assert distance({"rouge": 0.4, "leak": 0.0}, REFERENCE, {}) == 0
    assert distance({"rouge": 0.4, "leak": 0.06}, REFERENCE, {}) == pytest.approx(2 / np.sqrt(2))


def test_what_a_corruption_of_prompts_cannot_move_weighs_nothing_unless_told() -> None:
    learned = {"rouge": 0.4, "leak": 0.0, "probability": 0.4}
    reference = {**REFERENCE, "probability": 0.001}
    assert distance(learned, reference, WEIGHTS) == 0
    assert distance(learned, reference, {**WEIGHTS, "probability": 1.0}) > 4


def test_weights_and_scales() -> None:
    off = {"rouge": 0.5, "leak": 0.06}
    assert distance(off, REFERENCE, {"leak": 0.0}) == pytest.approx(2)
    assert distance(off, REFERENCE, {"leak": 3.0}) == pytest.approx(2)
    assert distance(off, REFERENCE, {"leak": 0.0}, {**SCALES, "rouge": 0.1}) == pytest.approx(1)
    with pytest.raises(ValueError, match="no metric"):
        distance(off, REFERENCE, {"rouge": 0.0, "leak": 0.0})


def test_truth_ratios_need_wrong_answers_everywhere() -> None:
    with_wrong = ForgetQuestion("Q", "A", "A", ("B",))
    assert "truth_ratio" in measurable([with_wrong])
    assert "truth_ratio" not in measurable([with_wrong, ForgetQuestion("Q", "A", "A")])


def test_means_of_a_part() -> None:
    columns = {"rouge": np.array([0.0, 1.0, 0.5])}
    assert means(columns) == {"rouge": 0.5}
    assert means(columns, [1]) == {"rouge": 1.0}
