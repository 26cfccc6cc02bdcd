"""Thresholds by author and by how much is read."""

import pytest

from guard.terms.thresholds import Steps, Thresholds, windows_of

STEPS = Steps((1, 4, 16), (0.5, 0.7, 0.9))


@pytest.mark.parametrize(
    ("reads", "expected"), [(0, 0.5), (1, 0.5), (3, 0.5), (4, 0.7), (15, 0.7), (16, 0.9), (99, 0.9)]
)
def test_a_threshold_rises_with_what_is_read(reads: int, expected: float) -> None:
    assert STEPS.at(reads) == expected


def test_an_author_without_steps_of_its_own_has_everybodys() -> None:
    thresholds = Thresholds(STEPS, {"third_party": Steps.constant(0.8)})
    assert thresholds.at("user", 4) == 0.7
    assert thresholds.at("third_party", 4) == 0.8
    assert Thresholds.constant(0.6).at("user", 1000) == 0.6


@pytest.mark.parametrize(
    ("characters", "expected"), [(0, 1), (1, 1), (600, 1), (601, 2), (1801, 4)]
)
def test_windows_are_counted_by_characters(characters: int, expected: int) -> None:
    assert windows_of(characters) == expected
