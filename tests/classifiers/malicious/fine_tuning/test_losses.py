"""The loss against its formula, and where a batch holds one class alone."""

import numpy as np
import pytest

from classifiers.malicious.fine_tuning.losses import RANKING, SMOOTHING, window_loss

LOGITS = np.array([1.5, -0.5, 0.2, -2.0])
LABELS = np.array([1.0, 1.0, 0.0, 0.0])
WEIGHTS = np.array([0.5, 2.0, 1.0, 0.25])


def loss_of(rows: slice = slice(None)) -> float:
    import torch

    logits, labels, weights = (torch.tensor(c[rows]) for c in (LOGITS, LABELS, WEIGHTS))
    return float(window_loss(logits, labels, weights))


def cross_entropy(rows: slice = slice(None)) -> float:
    targets = np.where(LABELS == 1, 1 - SMOOTHING, SMOOTHING)
    p = 1 / (1 + np.exp(-LOGITS))
    each = -(targets * np.log(p) + (1 - targets) * np.log(1 - p))
    return float((WEIGHTS * each)[rows].mean())


def test_it_is_cross_entropy_and_the_pairs_order() -> None:
    pairs = [(i, j) for i in (0, 1) for j in (2, 3)]
    weights = np.array([WEIGHTS[i] * WEIGHTS[j] for i, j in pairs])
    losses = np.array([np.log1p(np.exp(LOGITS[j] - LOGITS[i])) for i, j in pairs])
    order = float(weights @ losses / weights.sum())
    assert loss_of() == pytest.approx(cross_entropy() + RANKING * order, rel=1e-6)


@pytest.mark.parametrize("rows", [slice(2), slice(2, 4)])
def test_one_class_has_no_order(rows: slice) -> None:
    assert loss_of(rows) == pytest.approx(cross_entropy(rows), rel=1e-6)
