"""Muon's step against its definition, and the schedule."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.test_models.checkpoint import Size, make_model
from lab.test_models.optimizer import Muon, orthogonal, rate_at, split_weights


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 24), st.integers(2, 24), st.integers(0, 99))
def test_singular_values_become_about_one(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    found = orthogonal(torch.randn(rows, columns, generator=generator))
    values = torch.linalg.svdvals(found)
    assert found.shape == (rows, columns)
    assert float(values.max()) < 1.3
    assert float(values.median()) > 0.3


def test_singular_vectors_stay() -> None:
    matrix = torch.tensor([[3.0, 0.0], [0.0, 2.0]])
    found = orthogonal(matrix)
    assert float(found[0, 1].abs()) < 1e-5
    assert 0.6 < float(found[0, 0]) < 1.3


def test_a_step_goes_down() -> None:
    weights = torch.nn.Parameter(torch.zeros(4, 4))
    target = torch.eye(4)
    muon = Muon([weights], decay=0.0)
    losses = []
    for _ in range(40):
        weights.grad = None
        loss = ((weights - target) ** 2).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(float(loss.detach()))
        muon.step(0.1)
    assert losses[-1] < 0.1 * losses[0]


def test_weights_without_a_gradient_stay() -> None:
    weights = torch.nn.Parameter(torch.ones(2, 2))
    Muon([weights]).step(0.1)
    assert bool((weights == 1).all())


def test_the_rate_rises_and_falls_to_nothing() -> None:
    rates = [rate_at(step, 100, 2.0) for step in range(101)]
    assert max(rates) == pytest.approx(2.0)
    assert int(np.argmax(rates)) in (9, 10)
    assert rates[-1] == 0.0
    assert all(a > b for a, b in itertools.pairwise(rates[10:]))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_short_schedules_have_rates_too(steps: int) -> None:
    assert all(rate_at(step, steps, 1.0) > 0 for step in range(steps))


def test_every_weight_has_one_optimizer() -> None:
    model = make_model(64, 0, Size(16, 32, 2, 2))
    matrices, others = split_weights(model)
    assert len(matrices) == 2 * 7
    assert len(matrices) + len(others) == len(list(model.parameters()))
