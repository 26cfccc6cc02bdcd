"""Min-K%, its AUC and MUSE's leakage, against values worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from classifiers.evaluation.muse.privacy import leakage_auc, min_k, privacy_leakage


@pytest.mark.parametrize(
    ("logprobs", "share", "expected"),
    [
        ([-1.0, -2.0, -3.0, -4.0, -5.0], 0.4, -4.5),
        ([-5.0, -1.0, -4.0, -2.0, -3.0], 0.4, -4.5),
        ([-1.0, -3.0], 0.4, -3.0),
        ([-0.5], 0.4, -0.5),
        ([-1.0, -2.0, -3.0, -4.0], 1.0, -2.5),
    ],
)
def test_the_lowest_share_counts(logprobs: list[float], share: float, expected: float) -> None:
    assert min_k(logprobs, share) == pytest.approx(expected)


def test_a_text_needs_tokens() -> None:
    with pytest.raises(ValueError, match="at least one token"):
        min_k([])


@pytest.mark.parametrize(
    ("members", "others", "expected"),
    [
        ([-0.1, -0.2], [-3.0, -4.0], 0.0),  # memorised
        ([-3.0, -4.0], [-0.1, -0.2], 1.0),  # forgotten so much that it shows
        ([-1.0, -3.0], [-2.0], 0.5),
        ([-1.0, -1.0], [-1.0], 0.5),  # ties
        ([-1.0, -2.0], [-1.5, -3.0], 0.25),
    ],
)
def test_the_auc_is_a_share_of_pairs(
    members: list[float], others: list[float], expected: float
) -> None:
    assert leakage_auc(members, others) == pytest.approx(expected)


def test_an_auc_needs_both_sides() -> None:
    with pytest.raises(ValueError, match="members and others"):
        leakage_auc([], [1.0])


@given(st.lists(st.floats(-9, 0), min_size=1, max_size=20), st.lists(st.floats(-9, 0), min_size=1))
def test_swapped_sides_mirror_the_auc(members: list[float], others: list[float]) -> None:
    auc = leakage_auc(members, others)
    assert 0 <= auc <= 1
    assert auc + leakage_auc(others, members) == pytest.approx(1)


@pytest.mark.parametrize("seed", range(5))
def test_the_auc_is_sklearns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    members, others = rng.normal(size=7), rng.normal(size=5)
    labels, scores = [0] * 7 + [1] * 5, [*members, *others]
    assert leakage_auc(members, others) == pytest.approx(float(roc_auc_score(labels, scores)))


@pytest.mark.parametrize(
    ("auc", "retain", "expected"), [(0.0, 0.5, -100.0), (0.5, 0.5, 0.0), (0.75, 0.5, 50.0)]
)
def test_leakage_is_relative_to_the_retain_model(
    auc: float, retain: float, expected: float
) -> None:
    assert privacy_leakage(auc, retain) == pytest.approx(expected)


def test_leakage_without_a_reference_is_unknown() -> None:
    assert math.isnan(privacy_leakage(0.3, 0.0))
