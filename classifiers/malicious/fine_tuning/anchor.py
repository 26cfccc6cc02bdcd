"""The linear head on the pretrained encoder's features: what fine-tuning must not forget."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
STRENGTH = 0.3
"""Inverse of the ridge penalty, on standardised features."""
ROUNDS = 2
"""Of learning anew from the pools that scored highest."""


def fit_anchor(
    features: Floats,
    owner_index: Indices,
    labels: Floats,
    weights: Floats,
    *,
    rounds: int = ROUNDS,
) -> tuple[Floats, float]:
    """Weight (width,) and bias of a weighted logistic regression on features (pools, width).

    Pools are in the order of their windows, `owner_index` (pools,); labels and weights are those
    of the windows, (n,). The first fit is of each window's first pool, the whole; then each
    window is represented by its highest pool, as it is judged (multiple-instance learning:
    Andrews et al. 2003, MI-SVM).
    """
    firsts = np.searchsorted(owner_index, np.arange(len(labels)))
    weight, bias = _logistic(features[firsts], labels, weights)
    for _ in range(rounds):
        highest = _highest(features @ weight, firsts)
        weight, bias = _logistic(features[highest], labels, weights)
    return weight, bias


def _highest(logits: Floats, firsts: Indices) -> Indices:
    """The place of the highest logit of each window, whose pools begin at `firsts`."""
    # Per window: its highest logit, repeated over its pools, and the first pool that has it.
    counts = np.diff(firsts, append=len(logits))
    tops = np.repeat(np.maximum.reduceat(logits, firsts), counts)
    places = np.flatnonzero(logits == tops)
    owners = np.repeat(np.arange(len(firsts)), counts)[places]
    return places[np.unique(owners, return_index=True)[1]]


def _logistic(features: Floats, labels: Floats, weights: Floats) -> tuple[Floats, float]:
    from sklearn.linear_model import LogisticRegression

    # Fitted on standardised features and written back to raw ones: w x + b of (x - m) / s is
    # (w / s) x + (b - (w / s) m).
    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=STRENGTH, max_iter=300)
    model.fit((features - mean) / deviation, labels, sample_weight=weights)
    weight = model.coef_[0] / deviation
    return weight.astype(np.float32), float(model.intercept_[0] - weight @ mean)


def set_anchor(tower: "Tower", weight: Floats, bias: float, share: float) -> None:
    """Add `share` times the anchor's logit to the tower's."""
    import torch

    with torch.no_grad():
        tower.anchor.weight.copy_(torch.from_numpy(weight * np.float32(share)).reshape(1, -1))
        tower.anchor.bias.fill_(bias * share)
