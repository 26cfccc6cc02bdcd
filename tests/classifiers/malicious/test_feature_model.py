"""The served model: its layers, its votes and its tensors."""

import numpy as np
import pytest

from classifiers.malicious.feature_model import Dense, FeatureModel, Member, linear

RNG = np.random.default_rng(0)
ROWS = RNG.standard_normal((20, 4)).astype(np.float32)


def array(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape).astype(np.float32)


def member(width: int = 4, outputs: int = 2) -> Member:
    return Dense(array(5, width), array(5)), Dense(array(outputs, 5), array(outputs))


def test_layers_have_relu_between_them_and_two_outputs_count_by_their_difference() -> None:
    model = FeatureModel((member(),))
    first, last = model.members[0]
    hidden = np.maximum(ROWS @ first.weight.T + first.bias, 0)
    logits = hidden @ last.weight.T + last.bias
    np.testing.assert_allclose(model.logits(ROWS), logits[:, 1] - logits[:, 0], rtol=1e-4)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.score(ROWS), softmax[:, 1], rtol=1e-4)


def test_members_vote_by_median() -> None:
    members = tuple(linear(np.array([1.0, 0, 0, 0]), bias) for bias in (0, 1, 50))
    np.testing.assert_allclose(FeatureModel(members).logits(ROWS), ROWS[:, 0] + 1, rtol=1e-5)


def test_tensors_go_there_and_back() -> None:
    model = FeatureModel((member(), member(outputs=1)))
    tensors = model.tensors()
    assert {tensor.dtype for tensor in tensors.values()} == {np.dtype(np.float32)}
    again = FeatureModel.from_tensors(tensors)
    np.testing.assert_array_equal(again.logits(ROWS), model.logits(ROWS))
    assert again.tensors().keys() == tensors.keys()


def test_what_cannot_be_served_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FeatureModel(())
    with pytest.raises(ValueError, match="one or two outputs"):
        FeatureModel((member(outputs=3),))
