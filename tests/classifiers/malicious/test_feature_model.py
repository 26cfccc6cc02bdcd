"""The served model: its steps in order, its tensors, and joining members."""

import numpy as np
import pytest

from classifiers.malicious.feature_model import (
    Dense,
    FeatureModel,
    Member,
    digest_of,
    fold,
    joined,
    linear,
)

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((20, 4)).astype(np.float32)


def array(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def member(width: int = 3, outputs: int = 2) -> Member:
    return Dense(array(5, width), array(5)), Dense(array(outputs, 5), array(outputs))


def test_steps_are_taken_in_the_stated_order() -> None:
    mean, whitening = array(4), array(4, 3)
    model = FeatureModel((member(),), mean, whitening, 1.5)
    rows = (ROWS - mean) @ whitening
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.where(lengths > 1.5, rows * 1.5 / lengths, rows)
    first, last = model.members[0]
    hidden = np.maximum(rows @ first.weight.T + first.bias, 0)
    logits = hidden @ last.weight.T + last.bias
    np.testing.assert_allclose(model.logits(ROWS), logits[:, 1] - logits[:, 0], rtol=1e-4)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.score(ROWS), softmax[:, 1], rtol=1e-4)


def test_members_vote_by_median() -> None:
    members = tuple(linear(np.array([1.0, 0, 0, 0]), bias) for bias in (0, 1, 50))
    np.testing.assert_allclose(FeatureModel(members).logits(ROWS), ROWS[:, 0] + 1, rtol=1e-5)


def test_tensors_go_there_and_back() -> None:
    model = FeatureModel((member(), member(outputs=1)), array(4), array(4, 3), 2.0)
    tensors = model.tensors()
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float32)}
    assert {"mean", "whitening", "norm_clip", "members.1.0.weight"} <= tensors.keys()
    again = FeatureModel.from_tensors(tensors)
    np.testing.assert_array_equal(again.logits(ROWS), model.logits(ROWS))
    assert digest_of(again.tensors()) == digest_of(tensors)


def test_optional_tensors_are_left_out() -> None:
    model = FeatureModel((linear(np.ones(4), 0.5),))
    assert set(model.tensors()) == {"members.0.0.weight", "members.0.0.bias"}
    assert FeatureModel.from_tensors(model.tensors()).mean is None


def test_a_folded_member_reads_raw_rows() -> None:
    mean, matrix, inner = array(4), array(4, 3), member()
    prepared = FeatureModel((inner,), mean, matrix)
    raw = FeatureModel((fold(mean, matrix, inner),))
    np.testing.assert_allclose(raw.logits(ROWS), prepared.logits(ROWS), rtol=1e-3, atol=1e-4)


def test_joined_models_keep_what_they_share_and_fold_the_rest() -> None:
    mean, matrix = array(4), array(4, 3)
    models = [FeatureModel((member(),), mean, matrix) for _ in range(3)]
    votes = np.median([model.logits(ROWS) for model in models], axis=0)
    together = joined(models)
    assert together.mean is mean
    np.testing.assert_allclose(together.logits(ROWS), votes, rtol=1e-5)
    unlike = [FeatureModel((member(),), array(4), array(4, 3)), FeatureModel((member(4),))]
    votes = np.median([model.logits(ROWS) for model in unlike], axis=0)
    folded = joined(unlike)
    assert folded.mean is None
    np.testing.assert_allclose(folded.logits(ROWS), votes, rtol=1e-3, atol=1e-4)
    with pytest.raises(ValueError, match="norm_clip"):
        joined([FeatureModel((member(),), mean, matrix, 1.0), *unlike])


def test_what_cannot_be_served_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FeatureModel(())
    with pytest.raises(ValueError, match="one or two outputs"):
        FeatureModel((member(outputs=3),))


def test_short_rows_are_not_clipped() -> None:
    rows = np.array([[3.0, 4], [0.3, 0.4], [0, 0]], dtype=np.float32)
    model = FeatureModel((linear(np.ones(2), 0.0),), norm_clip=1.0)
    clipped = np.array([[0.6, 0.8], [0.3, 0.4], [0, 0]])
    np.testing.assert_allclose(model.prepared(rows), clipped, rtol=1e-6)
