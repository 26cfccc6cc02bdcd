"""Metrics of unlearning: by hand on small tables, and against published values."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.statistics import unlearning_metrics as metrics

Logprob = st.floats(-50, 0)


@pytest.mark.parametrize(
    ("mean_logprob", "expected"), [(0.0, 1.0), (math.log(0.25), 0.25), (-2000.0, 0.0)]
)
def test_probability(mean_logprob: float, expected: float) -> None:
    assert metrics.probability(mean_logprob) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("true", "perturbed", "expected"),
    [
        (0.2, [0.2, 0.2, 0.2], 0.25),  # chance among four
        (0.5, [0.1, 0.2, 0.2], 0.5),
        (0.3, [], 1.0),
    ],
)
def test_normalised_probability(true: float, perturbed: list[float], expected: float) -> None:
    logs = [math.log(value) for value in perturbed]
    assert metrics.normalised_probability(math.log(true), logs) == pytest.approx(expected)


def test_answers_that_are_all_improbable_still_compare() -> None:
    assert metrics.normalised_probability(-1000, [-1000.0, -2000.0]) == pytest.approx(0.5)


def test_truth_ratio_is_the_geometric_mean_over_the_correct_answer() -> None:
    # (0.1 * 0.4)^(1/2) = 0.2, over 0.5. The arithmetic mean, of TOFU's older code, would give 0.5.
    ratio = metrics.truth_ratio(math.log(0.5), [math.log(0.1), math.log(0.4)])
    assert ratio == pytest.approx(0.4)


def test_a_truth_ratio_beyond_all_numbers_folds_to_nothing() -> None:
    ratio = metrics.truth_ratio(-2000, [-1.0])
    assert ratio == math.inf
    assert metrics.folded([ratio, 0.0]).tolist() == [0.0, 0.0]
    assert metrics.truthfulness([ratio]).tolist() == [0.0]
    with pytest.raises(ValueError, match="at least one"):
        metrics.truth_ratio(-1, [])


def test_aggregates_of_truth_ratios() -> None:
    assert metrics.folded([0.5, 2.0, 1.0, 4.0]).tolist() == [0.5, 0.5, 1.0, 0.25]
    assert metrics.truthfulness([0.5, 2.0, 1.0, 0.0]).tolist() == [0.5, 0.0, 0.0, 1.0]


@given(Logprob, st.lists(Logprob, min_size=1, max_size=5))
def test_a_ratio_and_its_inverse_fold_alike(correct: float, perturbed: list[float]) -> None:
    ratio = metrics.truth_ratio(correct, perturbed)
    inverse = math.exp(correct - float(np.mean(perturbed)))
    assert metrics.folded([ratio])[0] == pytest.approx(metrics.folded([inverse])[0])


@pytest.mark.parametrize(
    ("shifted", "p_value"), [(4, 0.99), (5, 0.92), (7, 0.58), (8, 0.405), (9, 0.266)]
)
def test_forget_quality_of_40_rows_is_a_coarse_grid(shifted: int, p_value: float) -> None:
    # The values that reruns of ECO on forget01 report; `shifted` rows of 40 differ.
    retain = np.linspace(0.1, 0.9, 40)
    ours = np.concatenate([retain[shifted:], np.full(shifted, 5.0)])
    assert metrics.forget_quality(ours, retain).raw == pytest.approx(p_value, abs=0.005)


def test_the_inverse_ratios_have_the_same_quality_and_folding_another() -> None:
    rng = np.random.default_rng(0)
    ours, retain = rng.lognormal(0.0, 0.4, 60), rng.lognormal(0.6, 0.4, 60)
    quality = metrics.forget_quality(ours, retain)
    inverse = metrics.forget_quality(1 / ours, 1 / retain)
    assert inverse.raw == pytest.approx(quality.raw)
    assert quality.folded > quality.raw  # folding hides on which side of 1 a ratio lies
    assert metrics.forget_quality(ours, rng.permutation(ours)).raw == 1.0


@pytest.mark.parametrize(("ours", "theirs"), [([1.0], [1.0, 2.0]), ([], []), ([[1.0]], [[1.0]])])
def test_rows_must_be_the_same(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ValueError, match="rows must be the same"):
        metrics.forget_quality(ours, theirs)


@pytest.mark.parametrize(
    ("parts", "expected", "within"),
    [
        # Llama-2-7B-chat and phi-1.5 fine-tuned on all of TOFU, from the official logs.
        ([0.990, 0.986, 0.475, 0.456, 0.933, 0.596, 0.419, 0.883, 0.539], 0.6227, 3e-4),
        ([0.926, 0.929, 0.483, 0.377, 0.416, 0.456, 0.409, 0.777, 0.492], 0.5221, 3e-4),
        # ECO's script on phi-1.5, whose gold answers keep a prefix.
        ([0.9263, 0.9199, 0.4828, 0.3771, 0.5978, 0.4562, 0.4088, 0.8604, 0.4926], 0.549, 1e-3),
        ([0.5] * 9, 0.5, 1e-12),
        ([0.5] * 8 + [0.0], 0.0, 0.0),
    ],
)
def test_model_utility(parts: list[float], expected: float, within: float) -> None:
    assert metrics.model_utility(parts) == pytest.approx(expected, abs=within)


def test_model_utility_needs_all_nine() -> None:
    with pytest.raises(ValueError, match="9 parts, not 8"):
        metrics.model_utility([0.5] * 8)


@pytest.mark.parametrize(
    ("gold", "answer", "recall"),
    [
        ("the cat sat on the mat", "the cat sat on the mat and slept", 1.0),
        ("she writes novels", "she wrote a novel", 2 / 3),  # stems: novel, not write
        ("a b c d", "d c b a", 0.25),
        ("Lisbon", "", 0.0),
    ],
)
def test_rouge_recall_is_of_stems_in_order(gold: str, answer: str, recall: float) -> None:
    assert metrics.rouge_recall(gold, answer) == pytest.approx(recall)


def test_rouge_one_knows_no_order_and_f1_no_stems() -> None:
    assert metrics.rouge_recall("a b c d", "d c b a", "rouge1") == 1.0
    assert metrics.rouge_f1("novels", "novel") == 0.0
    assert metrics.rouge_f1("a b c d", "a b") == pytest.approx(2 * (1 * 0.5) / 1.5)
