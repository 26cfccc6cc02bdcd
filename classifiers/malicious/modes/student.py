"""The classifier that learns from pseudo-labels: d -> 256 -> 2, as in VLMGuard's second version.

Softmax cross-entropy with class weights n / (2 n_c), Adam, cosine to zero; early-learning
regularisation where asked. Everything random comes from seeded generators.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from classifiers.malicious.data.training_set import LabelledFeatures, Labels, Recipe
from classifiers.malicious.feature_model import Dense, FeatureModel, Member, digest_of
from classifiers.malicious.modes.noisy_labels import EarlyLearning
from classifiers.malicious.modes.ranking import auroc
from guard.terms.detector import Features

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Student:
    """A trained member, the digest of the weights it started from, and the epoch it is from.

    `validation_auroc` is None where there was no validation: then the epoch is the last.
    """

    member: Member
    init: str
    epoch: int
    validation_auroc: float | None


def initial_member(width: int, hidden: int, seed: int) -> Member:
    """Untrained layers width -> hidden -> 2, uniform in +-1/sqrt(fan-in) (torch's own)."""
    import torch

    generator = torch.Generator().manual_seed(seed)

    def layer(inputs: int, outputs: int) -> Dense:
        bound = inputs**-0.5
        weight = (torch.rand(outputs, inputs, generator=generator) * 2 - 1) * bound
        bias = (torch.rand(outputs, generator=generator) * 2 - 1) * bound
        return Dense(weight.numpy(), bias.numpy())

    return layer(width, hidden), layer(hidden, 2)


def init_digest(member: Member) -> str:
    """What identifies the weights that a run started from."""
    return digest_of(FeatureModel((member,)).tensors())


def train_student(
    features: Features,
    labels: Labels,
    recipe: Recipe,
    *,
    init: Member,
    seed: int,
    ids: Sequence[str] = (),
    early: EarlyLearning | None = None,
    validation: LabelledFeatures | None = None,
) -> Student:
    """Fit from `init` to rows (n, d) as they are: whoever calls has prepared them.

    Takes the epoch with the best validation AUROC (the earliest of equals), else the last one.
    `early` knows its rows by `ids` (n,); `seed` orders the batches.
    """
    import torch

    rows = torch.from_numpy(np.ascontiguousarray(features, np.float32))
    targets = torch.from_numpy(np.asarray(labels, np.int64))
    weights = _class_weights(targets)
    layers = _parameters(init)
    parameters = [tensor for layer in layers for tensor in layer]
    optimiser = torch.optim.Adam(parameters, lr=recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, recipe.epochs)
    best = Student(init, init_digest(init), 0, None)
    for epoch in range(1, recipe.epochs + 1):
        for batch in _batches(len(rows), recipe.batch, seed, epoch):
            logits = _forward(layers, rows[batch])
            loss = torch.nn.functional.cross_entropy(logits, targets[batch], weights)
            if early is not None:
                loss = loss + early.penalty(logits, [ids[row] for row in batch.tolist()])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        schedule.step()
        best = _better(best, _member(layers), epoch, validation)
    return best


def _better(
    best: Student, member: Member, epoch: int, validation: LabelledFeatures | None
) -> Student:
    if validation is None:
        return Student(member, best.init, epoch, None)
    found = auroc(FeatureModel((member,)).logits(validation.features), validation.labels)
    if best.validation_auroc is not None and found <= best.validation_auroc:
        return best
    return Student(member, best.init, epoch, found)


def _class_weights(targets: "Tensor") -> "Tensor":
    counts = targets.bincount(minlength=2)
    return len(targets) / (2 * counts.clamp(min=1).float())


def _batches(count: int, size: int, seed: int, epoch: int) -> Iterator["Tensor"]:
    """Row numbers in a new order each epoch: the order depends on the seed and epoch alone."""
    import torch

    order = np.random.default_rng((seed, epoch)).permutation(count)
    yield from torch.from_numpy(order).split(size)  # type: ignore[no-untyped-call]


def _parameters(member: Member) -> list[list["Tensor"]]:
    import torch

    return [[torch.from_numpy(t.copy()).requires_grad_() for t in layer] for layer in member]


def _forward(layers: list[list["Tensor"]], rows: "Tensor") -> "Tensor":
    import torch

    for place, (weight, bias) in enumerate(layers):
        rows = torch.nn.functional.linear(rows, weight, bias)
        if place < len(layers) - 1:
            rows = rows.relu()
    return rows


def _member(layers: list[list["Tensor"]]) -> Member:
    return tuple(Dense(*(tensor.detach().numpy().copy() for tensor in layer)) for layer in layers)
