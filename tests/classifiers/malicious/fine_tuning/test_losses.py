"""What is minimised: each loss against its formula, and groups with a high loss weigh more."""

import numpy as np
import pytest

from classifiers.malicious.fine_tuning.losses import (
    TEMPERATURE,
    WorstGroups,
    consistency_loss,
    contrastive_loss,
)


def test_the_contrastive_loss_is_khosla_s_equation_2() -> None:
    import torch

    features = torch.tensor([[1.0, 0.0], [0.6, 0.8], [0.0, 2.0], [-3.0, 0.0]])
    labels = torch.tensor([1.0, 1.0, 0.0, 0.0])
    unit = np.array([[1, 0], [0.6, 0.8], [0, 1], [-1, 0]])
    near = np.exp(unit @ unit.T / TEMPERATURE) * (1 - np.eye(4))
    shares = near / near.sum(axis=1, keepdims=True)
    expected = -np.log([shares[0, 1], shares[1, 0], shares[2, 3], shares[3, 2]]).mean()
    assert float(contrastive_loss(features, labels)) == pytest.approx(expected, rel=1e-5)


def test_a_row_alone_in_its_class_counts_nowhere() -> None:
    import torch

    features = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    loss = contrastive_loss(features, torch.tensor([1.0, 0.0]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert features.grad is not None
    assert bool(features.grad.isfinite().all())


def test_consistency_is_the_mean_of_both_divergences() -> None:
    import torch

    first, second = torch.tensor([0.3, -2.0]), torch.tensor([1.5, -2.0])
    p, q = first.sigmoid(), second.sigmoid()
    both = p * (p / q).log() + (1 - p) * ((1 - p) / (1 - q)).log()
    both = both + q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log()
    expected = float(both.mean()) / 2
    assert float(consistency_loss(first, second)) == pytest.approx(expected, rel=1e-5)


def test_groups_with_a_high_loss_weigh_more_at_a_mean_of_one() -> None:
    worst = WorstGroups(3, 0.5)
    every = np.arange(3)
    np.testing.assert_allclose(worst.weights(every), 1.0)
    losses = np.array([2.0, 2.0, 0.1, 0.1], dtype=np.float32)
    for _ in range(4):
        worst.update(np.array([0, 0, 2, 2]), losses)
    weights = worst.weights(every)
    assert weights[0] > weights[2] > weights[1]
    assert weights.mean() == pytest.approx(1.0, rel=1e-5)


def test_without_a_rate_no_group_weighs_more() -> None:
    worst = WorstGroups(2, 0.0)
    worst.update(np.array([0, 1]), np.array([3.0, 0.1], dtype=np.float32))
    assert worst.weights(np.arange(2)).tolist() == [1.0, 1.0]
