"""What a training set refuses, and what it gives out."""

import numpy as np
import pytest

from classifiers.malicious.data.training_set import Block, LabelledFeatures, TrainingSet

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)
IDS = ("a", "b", "c", "d")


def test_rows_keep_their_names_and_clients() -> None:
    training = TrainingSet(ROWS, IDS, clients=("x", "x", "y", "y"))
    part = training.rows([3, 1])
    assert (part.ids, part.clients) == (("d", "b"), ("y", "x"))
    np.testing.assert_array_equal(part.unlabelled, ROWS[[3, 1]])
    assert TrainingSet(ROWS, IDS).rows([0]).clients == ()


def test_blocks_default_to_all_columns() -> None:
    assert TrainingSet(ROWS, IDS).layers == (Block("all", 0, 3),)
    blocks = (Block("one", 0, 1), Block("two", 1, 3))
    assert TrainingSet(ROWS, IDS, blocks=blocks).layers == blocks
    assert blocks[1].columns == slice(1, 3)


@pytest.mark.parametrize("name", ["trusted_benign", "malicious_seeds"])
def test_other_widths_are_refused_by_name(name: str) -> None:
    other = {name: np.zeros((2, 4), np.float32)}
    with pytest.raises(ValueError, match=rf"{name}: features of shape \(2, 4\)"):
        TrainingSet(ROWS, IDS, **other)  # type: ignore[arg-type]


def test_rows_that_are_not_finite_are_refused() -> None:
    labelled = LabelledFeatures(np.full((1, 3), np.nan, np.float32), np.array([1]))
    with pytest.raises(ValueError, match="validation: features must be finite"):
        TrainingSet(ROWS, IDS, validation=labelled)


def test_ids_fit_and_are_distinct() -> None:
    with pytest.raises(ValueError, match="3 for 4"):
        TrainingSet(ROWS, IDS[:3])
    with pytest.raises(ValueError, match="share one"):
        TrainingSet(ROWS, ("a", "a", "b", "c"))
