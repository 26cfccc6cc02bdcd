"""The classifier that features are served with: members of dense layers, which vote.

Every mode that reads features ends in a `FeatureModel`; its tensors are those of the artifact
`malicious`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from guard.detectors.malicious.features import Dense, MaliciousClassifier, Member
from guard.detectors.weights import Array, logistic
from guard.terms.detector import Features, Scores

__all__ = ["Array", "Dense", "FeatureModel", "Member", "linear"]


@dataclass(frozen=True, slots=True)
class FeatureModel:
    """Scores of features (n, d): logistic of the median of the members' logits."""

    members: tuple[Member, ...]

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("members: a model has at least one")
        for member in self.members:
            if member[-1].weight.shape[0] not in (1, 2):
                raise ValueError("members: the last layer has one or two outputs")

    def logits(self, features: Features) -> Scores:
        """Log odds of malicious, shape (n,), by the class that serves them."""
        return MaliciousClassifier(self.members, threshold=0.5, encoder="").logits(features)

    def score(self, features: Features) -> Scores:
        """Scores in [0, 1], shape (n,); higher is worse."""
        return logistic(self.logits(features))

    def tensors(self) -> dict[str, Array]:
        """The model as the artifact stores it, all float32."""
        stored: dict[str, Array] = {}
        for number, member in enumerate(self.members):
            for place, layer in enumerate(member):
                stored[f"members.{number}.{place}.weight"] = layer.weight
                stored[f"members.{number}.{place}.bias"] = layer.bias
        return {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in stored.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """The model that `tensors()` gave; ValueError where no member is stored."""
        return cls(_members(tensors))


def linear(weight: NDArray[np.floating], bias: float) -> Member:
    """One linear layer with one logit, from a weight of shape (d,)."""
    return (Dense(np.asarray(weight, np.float32)[None, :], np.array([bias], np.float32)),)


def _members(tensors: Mapping[str, Array]) -> tuple[Member, ...]:
    layers: dict[int, dict[int, Dense]] = {}
    for name in tensors:
        if name.startswith("members.") and name.endswith(".weight"):
            _, number, place, _ = name.split(".")
            bias = tensors[f"members.{number}.{place}.bias"]
            layers.setdefault(int(number), {})[int(place)] = Dense(tensors[name], bias)
    return tuple(tuple(layers[n][p] for p in sorted(layers[n])) for n in sorted(layers))
