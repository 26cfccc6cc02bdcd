"""The linear head on the pretrained encoder's features: what fine-tuning must not forget."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
STRENGTH = 0.3
"""Inverse of the ridge penalty, on standardised features."""


def fit_anchor(
    features: Floats, labels: Floats, weights: Floats, *, strength: float = STRENGTH
) -> tuple[Floats, float]:
    """Weight (width,) and bias of a weighted logistic regression on features (n, width)."""
    from sklearn.linear_model import LogisticRegression

    mean, deviation = features.mean(axis=0), features.std(axis=0) + 1e-6
    model = LogisticRegression(C=strength, max_iter=300)
    model.fit((features - mean) / deviation, labels, sample_weight=weights)
    weight = model.coef_[0] / deviation
    return weight.astype(np.float32), float(model.intercept_[0] - weight @ mean)


def set_anchor(tower: "Tower", weight: Floats, bias: float, share: float) -> None:
    """Add `share` times the anchor's logit to the tower's."""
    import torch

    with torch.no_grad():
        tower.anchor.weight.copy_(torch.from_numpy(weight * np.float32(share)).reshape(1, -1))
        tower.anchor.bias.fill_(bias * share)
