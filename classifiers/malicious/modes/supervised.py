"""Mode `supervised`: the ceiling, logistic regression on labelled rows, all sources alike."""

from dataclasses import dataclass

import numpy as np

from classifiers.malicious.data.training_set import (
    Fitted,
    LabelledFeatures,
    TrainingSet,
    required,
)
from classifiers.malicious.feature_model import FeatureModel, linear
from classifiers.malicious.modes.directions import Direction, even_weights, fit_direction
from classifiers.malicious.modes.feature_mode import FeatureMode
from classifiers.malicious.modes.ranking import auroc
from guard.terms.errors import ConfigError

STRENGTHS = (0.03, 0.3, 3.0)
FOLDS = 4


@dataclass(frozen=True, slots=True)
class SupervisedSettings:
    """Nothing can be set: the sources left out choose the regularisation."""


class Supervised(FeatureMode[SupervisedSettings]):
    """A linear head on labelled rows."""

    name = "supervised"
    needs = (("encoder",), ("labelled",))
    settings = SupervisedSettings

    def learn(
        self,
        training: TrainingSet,
        settings: SupervisedSettings,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> Fitted:
        """A linear member; its regularisation is the best on sources left out.

        ConfigError without labelled rows of both classes.
        """
        given = required(training.labelled, "labelled", self.name)
        for label, name in ((0, "benign"), (1, "malicious")):
            if not (given.labels == label).any():
                raise ConfigError(f"labelled: there is no {name} row")
        count = len(given.labels)
        labelled = LabelledFeatures(given.features, given.labels, given.sources or ("",) * count)
        strength, found = _strength(labelled, rng)
        direction = _fit(labelled, np.arange(count), strength)
        model = FeatureModel((linear(direction.weight, direction.bias),))
        return Fitted(model, {"strength": strength, "left_out_auroc": found, "rows": count})


def _fit(labelled: LabelledFeatures, rows: np.ndarray, strength: float) -> Direction:
    labels = labelled.labels[rows]
    weights = np.empty(len(rows), dtype=np.float64)
    for label in (0, 1):
        same = np.flatnonzero(labels == label)
        weights[same] = even_weights([labelled.sources[row] for row in rows[same]])
    return fit_direction(labelled.features[rows], labels, weights, strength)


def _strength(labelled: LabelledFeatures, rng: np.random.Generator) -> tuple[float, float | None]:
    """The strength with the best mean AUROC over folds of sources, and that AUROC."""
    folds = [rows for rows in _folds(labelled, rng) if _usable(labelled, rows)]
    if not folds:
        return STRENGTHS[1], None
    # By sources left out, not by rows: rows of one source resemble each other, and the strength
    # that suits them best learns the source.
    found = {strength: _left_out(labelled, folds, strength) for strength in STRENGTHS}
    best = max(STRENGTHS, key=lambda strength: found[strength])
    return best, found[best]


def _folds(labelled: LabelledFeatures, rng: np.random.Generator) -> list[np.ndarray]:
    """Row numbers held out in each fold; every source is in one fold, both classes dealt out."""
    fold: dict[str, int] = {}
    for label in (0, 1):
        same = np.unique([labelled.sources[r] for r in np.flatnonzero(labelled.labels == label)])
        for place, source in enumerate(rng.permutation(same)):
            fold.setdefault(str(source), place % FOLDS)
    folds = np.array([fold[source] for source in labelled.sources])
    return [np.flatnonzero(folds == number) for number in range(FOLDS)]


def _usable(labelled: LabelledFeatures, held_out: np.ndarray) -> bool:
    inside = labelled.labels[held_out]
    outside = np.delete(labelled.labels, held_out)
    return len(np.unique(inside)) == 2 and len(np.unique(outside)) == 2


def _left_out(labelled: LabelledFeatures, folds: list[np.ndarray], strength: float) -> float:
    found = []
    for held_out in folds:
        learned = np.delete(np.arange(len(labelled.labels)), held_out)
        direction = _fit(labelled, learned, strength)
        scores = direction.score(labelled.features[held_out])
        found.append(auroc(scores, labelled.labels[held_out]))
    return float(np.mean(found))
