"""What the learning modes are given, and what they give back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.feature_model import FeatureModel
from guard.terms.detector import Features
from guard.terms.errors import ConfigError

Mode = Literal["svd", "svd-safe", "contrastive", "supervised"]
MODES: tuple[Mode, ...] = ("svd", "svd-safe", "contrastive", "supervised")

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
class Block:
    """A named range of feature columns: one layer or one way of pooling."""

    name: str
    start: int
    stop: int

    @property
    def columns(self) -> slice:
        """The block's columns."""
        return slice(self.start, self.stop)


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The rows that a mode learns from; all features have d columns.

    `unlabelled` (n, d) is traffic whose labels nobody knows, `ids` its stable row names, `clients`
    who sent each row ("" where unknown). `trusted_benign` and `malicious_seeds` were looked at by
    people and never come from traffic; `generated` are attacks and harmless counterparts that our
    own code writes (`generated.py`), its `sources` the generators. `validation` has labels and
    chooses; `supervised` has labels and trains. `blocks` are the layers that the columns consist
    of, none meaning one block of all.
    """

    unlabelled: Features
    ids: tuple[str, ...]
    trusted_benign: Features | None = None
    malicious_seeds: Features | None = None
    generated: LabelledFeatures | None = None
    validation: LabelledFeatures | None = None
    supervised: LabelledFeatures | None = None
    blocks: tuple[Block, ...] = ()
    clients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(self.ids) != len(self.unlabelled):
            raise ValueError(f"ids: {len(self.ids)} for {len(self.unlabelled)} unlabelled rows")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError("ids: two rows share one")
        for name, features in self.named_features():
            check_features(name, features, self.width)

    @property
    def width(self) -> int:
        """Feature columns."""
        return int(self.unlabelled.shape[1])

    @property
    def layers(self) -> tuple[Block, ...]:
        """The blocks, or one of all columns."""
        return self.blocks or (Block("all", 0, self.width),)

    def named_features(self) -> list[tuple[str, Features]]:
        """Every feature matrix there is, with its field's name."""
        found: list[tuple[str, Features | None]] = [
            ("unlabelled", self.unlabelled),
            ("trusted_benign", self.trusted_benign),
            ("malicious_seeds", self.malicious_seeds),
            ("generated", self.generated.features if self.generated else None),
            ("validation", self.validation.features if self.validation else None),
            ("supervised", self.supervised.features if self.supervised else None),
        ]
        return [(name, features) for name, features in found if features is not None]

    def rows(self, chosen: Sequence[int] | NDArray[np.int_]) -> Self:
        """The same set with only these unlabelled rows."""
        return replace(
            self,
            unlabelled=self.unlabelled[np.asarray(chosen, dtype=np.int_)],
            ids=tuple(self.ids[row] for row in chosen),
            clients=tuple(self.clients[row] for row in chosen) if self.clients else (),
        )


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the modes learn; the defaults are the measured ones (see docs/lab/detection.md).

    `svd` reads the student's fields, `most_directions` and `weighted`, as VLMGuard's code does
    (arXiv 2410.00296 and its TMLR version). `strength` and `ratio_strength` are inverse
    regularisation; `ratio_share` and `nearness_share` weigh the parts of `contrastive`.
    `partitions` is for who splits traffic into shards (`shards.py`): a fit is of one.
    """

    hidden: int = 256
    epochs: int = 30
    batch: int = 64
    learning_rate: float = 1e-3
    most_directions: int = 5
    weighted: bool = False
    shrinkage: Literal["ledoit-wolf", "tenth"] = "ledoit-wolf"
    clip_quantile: float = 0.995
    discard_band: bool = True
    elr_memory: float = 0.9
    elr_strength: float = 3.0
    whitened: bool = False
    strength: float = 0.01
    ratio_share: float = 1.0
    ratio_strength: float = 0.1
    nearness_share: float = 1.0
    partitions: int = 1
    soup: int = 1


@dataclass(frozen=True, slots=True)
class Fitted:
    """A model and what was found on the way: layer, k, T, AUROC of the score, and so on."""

    model: FeatureModel
    diagnostics: Mapping[str, Diagnostic] = field(default_factory=dict)


def check_features(name: str, features: Features, width: int) -> None:
    """ValueError that names the field where features are not finite rows of `width` columns."""
    if features.ndim != 2 or features.shape[1] != width:
        raise ValueError(f"{name}: features of shape {features.shape}, expected (n, {width})")
    if not np.isfinite(features).all():
        raise ValueError(f"{name}: features must be finite")


def required(value: T | None, name: str, mode: Mode) -> T:
    """A part of the training set that a mode cannot do without; ConfigError names it."""
    if value is None:
        raise ConfigError(f"{name}: mode `{mode}` needs it")
    return value
