"""Mode `svd`: VLMGuard's second version to the letter, and a refusal where its score is inverted.

k, T and the student's epoch are chosen on labelled validation, as its code does; the layer is the
one that the encoder was exported with. The orientation test alone is added, because nothing in the
method would notice an inverted score.
"""

from dataclasses import dataclass

import numpy as np

from classifiers.malicious.data.training_set import Fitted, TrainingSet, required
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.feature_mode import FeatureMode
from classifiers.malicious.modes.ranking import check_orientation
from classifiers.malicious.modes.student import train_student
from classifiers.malicious.modes.subspace import (
    choose_cut,
    choose_subspace,
    interior_quantiles,
    pseudo_labels,
)


@dataclass(frozen=True, slots=True)
class SvdSettings:
    """The student (arXiv 2410.00296 and its TMLR version), and whether a direction counts in
    proportion to its singular value."""

    hidden: int = 256
    epochs: int = 30
    learning_rate: float = 1e-3
    weighted: bool = False


class Svd(FeatureMode[SvdSettings]):
    """Traffic's leading directions score its rows; what lies far along them teaches a student."""

    name = "svd"
    needs = (("encoder",), ("unlabelled",), ("validation",))
    settings = SvdSettings

    def learn(
        self, training: TrainingSet, settings: SvdSettings, rng: np.random.Generator
    ) -> Fitted:
        """Kappa at the best k, pseudo-labels for every row, and the student on raw rows.

        ConfigError without labelled validation or where a pseudo-class is empty; OrientationError
        where the score is inverted.
        """
        validation = required(training.validation, "validation", self.name)
        chosen = choose_subspace(training.unlabelled, validation, weighted=settings.weighted)
        checked = chosen.kappa(validation.features)
        # Nothing in the method says which end is malicious: attacks may as well lie near the mean.
        orientation = check_orientation(checked, validation.labels, rng)
        kappa = chosen.kappa(training.unlabelled)
        # T is sought among traffic's own values and judged on validation.
        cut = choose_cut(interior_quantiles(kappa), checked, validation.labels)
        labels = pseudo_labels(kappa, cut)
        student = train_student(
            training.unlabelled,
            labels,
            hidden=settings.hidden,
            epochs=settings.epochs,
            rate=settings.learning_rate,
            rng=rng,
            validation=validation,
        )
        return Fitted(
            FeatureModel((student.member,)),
            {
                "k": chosen.k,
                "weighted": settings.weighted,
                "T": cut,
                "kappa_auroc": orientation.auroc,
                "kappa_auroc_error": orientation.error,
                "pseudo_positive_fraction": float(labels.mean()),
                "student_epoch": student.epoch,
                "student_validation_auroc": student.validation_auroc,
            },
        )
