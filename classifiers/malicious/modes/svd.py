"""Mode `svd`: VLMGuard's second version to the letter, and a refusal where its score is inverted.

Layer and k, T and the epoch are chosen on labelled validation, as its code does; the orientation
test alone is added, because nothing in the method would notice an inverted score.
"""

import numpy as np

from classifiers.malicious.data.training_set import (
    Fitted,
    LabelledFeatures,
    Recipe,
    TrainingSet,
    required,
)
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.ranking import check_orientation
from classifiers.malicious.modes.runs import train_runs
from classifiers.malicious.modes.subspace import (
    Selection,
    choose_cut,
    choose_subspace,
    interior_quantiles,
    pseudo_labels,
)


def fit_svd(training: TrainingSet, recipe: Recipe, rng: np.random.Generator) -> Fitted:
    """Kappa on the best block and k, pseudo-labels for every row, and the student on raw rows.

    ConfigError without labelled validation or where a pseudo-class is empty; OrientationError
    where the score is inverted.
    """
    validation = required(training.validation, "validation", "svd")
    selection = choose_subspace(
        training.unlabelled,
        validation,
        training.layers,
        most=recipe.most_directions,
        weighted=recipe.weighted,
    )
    checked = selection.kappa(validation.features)
    orientation = check_orientation(checked, validation.labels, rng)
    kappa = selection.kappa(training.unlabelled)
    cut = choose_cut(interior_quantiles(kappa), checked, validation.labels)
    labels = pseudo_labels(kappa, cut)
    columns = selection.block.columns
    seen = LabelledFeatures(validation.features[:, columns], validation.labels)
    member, facts = train_runs(
        training.unlabelled[:, columns], labels, recipe, rng, validation=seen
    )
    model = FeatureModel((member,), whitening=_selector(selection, training.width))
    return Fitted(
        model,
        {
            "layer": selection.block.name,
            "k": selection.k,
            "weighted": selection.weighted,
            "T": cut,
            "kappa_auroc": orientation.auroc,
            "kappa_auroc_error": orientation.error,
            "pseudo_positive_fraction": float(labels.mean()),
            **facts,
        },
    )


def _selector(selection: Selection, width: int) -> np.ndarray | None:
    """The matrix (width, block) that picks the block's columns; None where it is all of them."""
    identity = np.eye(width, dtype=np.float32)[:, selection.block.columns]
    return None if identity.shape == (width, width) else identity
