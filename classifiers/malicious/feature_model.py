"""The classifier that features are served with: preprocessing and the members' dense layers.

Every learning mode ends in a `FeatureModel`; its tensors are those of the artifact `malicious`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from guard.detectors.malicious.features import Dense, MaliciousClassifier, Member, Preparation
from guard.detectors.weights import Array, logistic
from guard.terms.detector import Features, Scores

__all__ = ["Array", "Dense", "FeatureModel", "Member", "digest_of", "fold", "joined", "linear"]


@dataclass(frozen=True, slots=True)
class FeatureModel:
    """Scores of features (n, d): logistic of the median of the members' logits.

    Rows become `(x - mean) @ whitening`, then are scaled down to length `norm_clip` where they
    are longer; each step is left out where its tensor is None.
    """

    members: tuple[Member, ...]
    mean: Array | None = None
    whitening: Array | None = None
    norm_clip: float | None = None

    def __post_init__(self) -> None:
        if not self.members:
            raise ValueError("members: a model has at least one")
        for member in self.members:
            if member[-1].weight.shape[0] not in (1, 2):
                raise ValueError("members: the last layer has one or two outputs")

    def prepared(self, features: Features) -> Features:
        """The members' input, shape (n, d')."""
        return self._preparation.apply(features)

    def logits(self, features: Features) -> Scores:
        """Log odds of malicious, shape (n,), by the class that serves them."""
        served = MaliciousClassifier(
            self.members, threshold=0.5, encoder="", preparation=self._preparation
        )
        return served.logits(features)

    def score(self, features: Features) -> Scores:
        """Scores in [0, 1], shape (n,); higher is worse."""
        return logistic(self.logits(features))

    def tensors(self) -> dict[str, Array]:
        """The model as the artifact stores it, all float32."""
        optional = {"mean": self.mean, "whitening": self.whitening}
        stored = {name: tensor for name, tensor in optional.items() if tensor is not None}
        if self.norm_clip is not None:
            stored["norm_clip"] = np.array([self.norm_clip], dtype=np.float32)
        for number, member in enumerate(self.members):
            for place, layer in enumerate(member):
                stored[f"members.{number}.{place}.weight"] = layer.weight
                stored[f"members.{number}.{place}.bias"] = layer.bias
        return {name: np.ascontiguousarray(tensor, np.float32) for name, tensor in stored.items()}

    @property
    def _preparation(self) -> Preparation:
        return Preparation(self.mean, self.whitening, self.norm_clip)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """The model that `tensors()` gave; ValueError where no member is stored."""
        clip = tensors.get("norm_clip")
        return cls(
            _members(tensors),
            tensors.get("mean"),
            tensors.get("whitening"),
            None if clip is None else float(clip[0]),
        )


def linear(weight: NDArray[np.floating], bias: float) -> Member:
    """One linear layer with one logit, from a weight of shape (d,)."""
    return (Dense(np.asarray(weight, np.float32)[None, :], np.array([bias], np.float32)),)


def fold(mean: Array, matrix: Array, member: Member) -> Member:
    """A member that takes raw rows x and gives what `member` gives for (x - mean) @ matrix."""
    first = member[0]
    weight = first.weight.astype(np.float64) @ matrix.T
    bias = first.bias - weight @ mean
    return (Dense(weight.astype(np.float32), bias.astype(np.float32)), *member[1:])


def joined(models: Sequence[FeatureModel]) -> FeatureModel:
    """One model with all members of several (partition voting: the median of their votes).

    Preprocessing that all share is kept; else it is folded into the first layers, which a norm
    clip does not allow: ValueError.
    """
    first = models[0]
    if all(_same_preprocessing(first, other) for other in models[1:]):
        members = tuple(member for model in models for member in model.members)
        return FeatureModel(members, first.mean, first.whitening, first.norm_clip)
    if any(model.norm_clip is not None for model in models):
        raise ValueError("norm_clip: models with unlike preprocessing cannot be joined")
    return FeatureModel(tuple(member for model in models for member in _folded(model)))


def digest_of(tensors: Mapping[str, Array]) -> str:
    """SHA-256 over names, shapes and bytes: equal for equal weights."""
    content = hashlib.sha256()
    for name in sorted(tensors):
        content.update(f"{name} {tensors[name].shape}\n".encode())
        content.update(np.ascontiguousarray(tensors[name], np.float32).tobytes())
    return content.hexdigest()


def _members(tensors: Mapping[str, Array]) -> tuple[Member, ...]:
    layers: dict[int, dict[int, Dense]] = {}
    for name in tensors:
        if name.startswith("members.") and name.endswith(".weight"):
            _, number, place, _ = name.split(".")
            bias = tensors[f"members.{number}.{place}.bias"]
            layers.setdefault(int(number), {})[int(place)] = Dense(tensors[name], bias)
    return tuple(tuple(layers[n][p] for p in sorted(layers[n])) for n in sorted(layers))


def _same_preprocessing(one: FeatureModel, other: FeatureModel) -> bool:
    pairs = ((one.mean, other.mean), (one.whitening, other.whitening))
    same = all(
        a is b or (a is not None and b is not None and np.array_equal(a, b)) for a, b in pairs
    )
    return same and one.norm_clip == other.norm_clip


def _folded(model: FeatureModel) -> tuple[Member, ...]:
    width = model.members[0][0].weight.shape[1]
    matrix = np.eye(width, dtype=np.float32) if model.whitening is None else model.whitening
    mean = np.zeros(len(matrix), dtype=np.float32) if model.mean is None else model.mean
    return tuple(fold(mean, matrix, member) for member in model.members)
