"""What fine-tuning minimises: cross entropy and order, and three losses that may be added."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

TEMPERATURE = 0.1
"""Of the contrastive loss, on cosines."""


def batch_loss(
    logits: "Tensor", labels: "Tensor", weights: "Tensor", *, smoothing: float, ranking: float
) -> "Tensor":
    """Weighted cross entropy, plus `ranking` times the pairwise logistic loss of malicious above
    benign: all (n,).

    The pairwise part is a smooth AUROC; it cares for the order of the two classes alone.
    """
    from torch.nn import functional

    loss = (weights * cross_entropies(logits, labels, smoothing)).mean()
    bad, good = labels > 0.5, labels < 0.5
    if ranking and bad.any() and good.any():
        margins = logits[bad][:, None] - logits[good][None, :]
        pairs = weights[bad][:, None] * weights[good][None, :]
        loss = loss + ranking * (pairs * functional.softplus(-margins)).sum() / pairs.sum()
    return loss


def cross_entropies(logits: "Tensor", labels: "Tensor", smoothing: float) -> "Tensor":
    """Of each row, (n,), with labels moved by `smoothing` towards each other."""
    from torch.nn import functional

    targets = labels * (1 - 2 * smoothing) + smoothing
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")


def contrastive_loss(features: "Tensor", labels: "Tensor") -> "Tensor":
    """Rows of one class near each other, the others far: features (n, width), labels (n,).

    Supervised contrastive learning (Khosla et al. 2020, equation 2); 0 where no row has another
    one of its class.
    """
    import torch
    from torch.nn import functional

    unit = functional.normalize(features, dim=1)
    others = ~torch.eye(len(labels), dtype=torch.bool)
    same = (labels[:, None] == labels[None, :]) & others
    near = (unit @ unit.T / TEMPERATURE).masked_fill(~others, float("-inf"))
    shares = near.log_softmax(dim=1).masked_fill(~same, 0.0)
    counts = same.sum(dim=1)
    rows = -shares.sum(dim=1) / counts.clamp(min=1)
    return rows.sum() / (counts > 0).sum().clamp(min=1)


def consistency_loss(first: "Tensor", second: "Tensor") -> "Tensor":
    """How far the verdicts of two passes with different dropout are apart: logits (n,) each.

    The mean of both Kullback-Leibler divergences (R-Drop: Liang et al. 2021, equation 3).
    """
    from torch.nn import functional

    # KL(p, q) + KL(q, p) of two coins is (p - q) times the difference of their log odds.
    apart = (first.sigmoid() - second.sigmoid()) * (first - second)
    return functional.relu(apart).mean() / 2


class WorstGroups:
    """Weights of groups that grow where the loss is high (group DRO: Sagawa et al. 2020).

    `rate` is the step size of algorithm 1; weights are kept at a mean of 1.
    """

    def __init__(self, groups: int, rate: float) -> None:
        self._logs = np.zeros(groups)
        self._rate = rate

    def weights(self, groups: NDArray[np.int64]) -> NDArray[np.float32]:
        """The weight of each row's group, (n,)."""
        return self._weights()[groups]

    def update(self, groups: NDArray[np.int64], losses: NDArray[np.float32]) -> None:
        """Count a batch: the group and the loss of each row, both (n,)."""
        found, places = np.unique(groups, return_inverse=True)
        means = np.bincount(places, losses) / np.bincount(places)
        self._logs[found] += self._rate * means

    def _weights(self) -> NDArray[np.float32]:
        raised = np.exp(self._logs - self._logs.max())
        weights: NDArray[np.float32] = (raised / raised.mean()).astype(np.float32)
        return weights
