"""The classifier that learns from pseudo-labels: d -> hidden -> 2, as in VLMGuard's second version.

Softmax cross-entropy with class weights n / (2 n_c), Adam, cosine to zero. Everything random comes
from one seeded generator. It is trained on the processor: a batch is 64 rows of a few hundred
numbers, which a GPU computes in less time than it takes to be asked.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classifiers.malicious.data.training_set import LabelledFeatures, Labels
from classifiers.malicious.feature_model import Dense, FeatureModel, Member
from classifiers.malicious.modes.ranking import auroc
from guard.terms.detector import Features

if TYPE_CHECKING:
    from torch import nn

BATCH = 64


@dataclass(frozen=True, slots=True)
class Student:
    """A trained member, the epoch it is from, and its AUROC on validation."""

    member: Member
    epoch: int
    validation_auroc: float


def train_student(
    features: Features,
    labels: Labels,
    *,
    hidden: int,
    epochs: int,
    rate: float,
    rng: np.random.Generator,
    validation: LabelledFeatures,
) -> Student:
    """Fit to rows (n, d) as they are; takes the epoch with the best validation AUROC (the earliest
    of equals)."""
    import torch

    rows = torch.from_numpy(np.ascontiguousarray(features, np.float32))
    targets = torch.from_numpy(np.asarray(labels, np.int64))
    # A rare class counts as much as a common one: n / (2 n_c).
    weights = len(targets) / (2 * targets.bincount(minlength=2).clamp(min=1).float())
    layers = _new_layers(features.shape[1], hidden, int(rng.integers(2**31)))
    optimiser = torch.optim.Adam(layers.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    best: Student | None = None
    for epoch in range(1, epochs + 1):
        order = torch.from_numpy(rng.permutation(len(rows)))
        for batch in order.split(BATCH):  # type: ignore[no-untyped-call]
            loss = torch.nn.functional.cross_entropy(layers(rows[batch]), targets[batch], weights)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()
        # Wrong labels are learned last, so the best epoch is often an early one.
        member = _member(layers)
        found = auroc(FeatureModel((member,)).logits(validation.features), validation.labels)
        if best is None or found > best.validation_auroc:
            best = Student(member, epoch, found)
    if best is None:
        raise ValueError("epochs: expected at least one")
    return best


def _new_layers(width: int, hidden: int, seed: int) -> "nn.Sequential":
    """Untrained layers, drawn as torch draws them but by a seed that nobody else moves."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(seed)
        return torch.nn.Sequential(
            torch.nn.Linear(width, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 2)
        )


def _member(layers: "nn.Sequential") -> Member:
    state = {name: tensor.numpy().copy() for name, tensor in layers.state_dict().items()}
    return tuple(Dense(state[f"{place}.weight"], state[f"{place}.bias"]) for place in (0, 2))
