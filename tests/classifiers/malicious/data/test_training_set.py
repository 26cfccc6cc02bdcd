"""What a training set refuses, and what it gives out."""

import numpy as np
import pytest

from classifiers.malicious.data.training_set import LabelledFeatures, TrainingSet

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


def test_rows_are_of_traffic_alone() -> None:
    part = TrainingSet(ROWS, trusted_benign=ROWS[:1]).rows([3, 1])
    np.testing.assert_array_equal(part.unlabelled, ROWS[[3, 1]])
    assert part.trusted_benign is not None
    assert len(part.trusted_benign) == 1


@pytest.mark.parametrize("name", ["trusted_benign", "malicious_seeds"])
def test_other_widths_are_refused_by_name(name: str) -> None:
    other = {name: np.zeros((2, 4), np.float32)}
    with pytest.raises(ValueError, match=rf"{name}: features of shape \(2, 4\)"):
        TrainingSet(ROWS, **other)  # type: ignore[arg-type]


def test_rows_that_are_not_finite_are_refused() -> None:
    labelled = LabelledFeatures(np.full((1, 3), np.nan, np.float32), np.array([1]))
    with pytest.raises(ValueError, match="validation: features must be finite"):
        TrainingSet(ROWS, validation=labelled)
