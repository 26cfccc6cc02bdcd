"""The rows that modes on features learn from, and what they give back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.feature_model import FeatureModel
from guard.terms.detector import Features
from guard.terms.errors import ConfigError

Labels = NDArray[np.int_]
T = TypeVar("T")
Diagnostic = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class LabelledFeatures:
    """Features (n, d) with labels (n,), 1 for malicious, and the source of each row."""

    features: Features
    labels: Labels
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The rows that a mode learns from; all features have d columns.

    `unlabelled` (n, d) is traffic whose labels nobody knows. `trusted_benign` and `malicious_seeds`
    were looked at by people and never come from traffic; `generated` are attacks and harmless
    counterparts that our own code writes (`generated.py`), its `sources` the generators.
    `validation` has labels and chooses; `labelled` has labels and trains.
    """

    unlabelled: Features
    trusted_benign: Features | None = None
    malicious_seeds: Features | None = None
    generated: LabelledFeatures | None = None
    validation: LabelledFeatures | None = None
    labelled: LabelledFeatures | None = None

    def __post_init__(self) -> None:
        for name, features in self._named_features():
            _check_features(name, features, self.width)

    @property
    def width(self) -> int:
        """Feature columns."""
        return int(self.unlabelled.shape[1])

    def rows(self, chosen: Sequence[int] | NDArray[np.int_]) -> Self:
        """The same set with only these unlabelled rows."""
        return replace(self, unlabelled=self.unlabelled[np.asarray(chosen, dtype=np.int_)])

    def _named_features(self) -> list[tuple[str, Features]]:
        """Every feature matrix there is, with its field's name."""
        found: list[tuple[str, Features | None]] = [
            ("unlabelled", self.unlabelled),
            ("trusted_benign", self.trusted_benign),
            ("malicious_seeds", self.malicious_seeds),
            ("generated", self.generated.features if self.generated else None),
            ("validation", self.validation.features if self.validation else None),
            ("labelled", self.labelled.features if self.labelled else None),
        ]
        return [(name, features) for name, features in found if features is not None]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model of one member, and what was found on the way: k, T, AUROC of the score, and so on."""

    model: FeatureModel
    diagnostics: Mapping[str, Diagnostic] = field(default_factory=dict)


def required(value: T | None, name: str, mode: str) -> T:
    """A part of the training set that a mode cannot do without; ConfigError names it."""
    if value is None:
        raise ConfigError(f"{name}: mode `{mode}` needs it")
    return value


def _check_features(name: str, features: Features, width: int) -> None:
    """ValueError that names the field where features are not finite rows of `width` columns."""
    if features.ndim != 2 or features.shape[1] != width:
        raise ValueError(f"{name}: features of shape {features.shape}, expected (n, {width})")
    if not np.isfinite(features).all():
        raise ValueError(f"{name}: features must be finite")
