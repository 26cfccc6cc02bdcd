"""The learning modes' front door: what they are given, what they give back, and `fit`."""

from collections.abc import Callable, Mapping

import numpy as np

from classifiers.malicious.data.training_set import (
    MODES,
    Block,
    Fitted,
    LabelledFeatures,
    Mode,
    Recipe,
    TrainingSet,
)
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.contrastive import fit_contrastive
from classifiers.malicious.modes.supervised import fit_supervised
from classifiers.malicious.modes.svd import fit_svd
from classifiers.malicious.modes.svd_safe import fit_svd_safe

__all__ = [
    "MODES",
    "Block",
    "FeatureModel",
    "Fitted",
    "LabelledFeatures",
    "Mode",
    "Recipe",
    "TrainingSet",
    "fit",
]

_FITS: Mapping[Mode, Callable[[TrainingSet, Recipe, np.random.Generator], Fitted]] = {
    "svd": fit_svd,
    "svd-safe": fit_svd_safe,
    "contrastive": fit_contrastive,
    "supervised": fit_supervised,
}


def fit(mode: Mode, training: TrainingSet, recipe: Recipe, rng: np.random.Generator) -> Fitted:
    """Learn by one mode; the model has one member.

    ConfigError where the set lacks what the mode needs; OrientationError where its score ranks
    malicious rows below benign ones.
    """
    return _FITS[mode](training, recipe, rng)
