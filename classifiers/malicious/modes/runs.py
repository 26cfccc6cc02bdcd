"""One student or a greedy soup of several that share a start, as the recipe says."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from classifiers.malicious.data.training_set import Diagnostic, LabelledFeatures, Labels, Recipe
from classifiers.malicious.feature_model import FeatureModel, Member
from classifiers.malicious.modes.noisy_labels import EarlyLearning
from classifiers.malicious.modes.ranking import tpr_at_fpr
from classifiers.malicious.modes.soup import Ingredient, greedy_soup
from classifiers.malicious.modes.student import Student, initial_member, train_student
from guard.terms.detector import Features

SOUP_RATE = 0.01
_RATES = (1.0, 0.5, 2.0)


def train_runs(
    features: Features,
    labels: Labels,
    recipe: Recipe,
    rng: np.random.Generator,
    *,
    ids: Sequence[str] | None = None,
    validation: LabelledFeatures | None = None,
) -> tuple[Member, dict[str, Diagnostic]]:
    """A member trained on rows (n, d) as they are, and what the runs' diagnostics say.

    With `ids` the loss has early-learning regularisation. `recipe.soup` runs share one init and
    differ in batch order, learning rate and regularisation; validation decides which are averaged
    by recall at 1 % false positives, and without it there is one run.
    """
    start = initial_member(features.shape[1], recipe.hidden, int(rng.integers(2**31)))
    count = recipe.soup if validation is not None else 1
    students = []
    for number in range(count):
        varied = _varied(recipe, number)
        early = None if ids is None else EarlyLearning(ids, varied.elr_memory, varied.elr_strength)
        students.append(
            train_student(
                *(features, labels, varied),
                init=start,
                seed=int(rng.integers(2**31)),
                ids=ids or (),
                early=early,
                validation=validation,
            )
        )
    if count == 1 or validation is None:
        return students[0].member, _diagnostics(students[0])
    return _souped(students, validation)


def _varied(recipe: Recipe, number: int) -> Recipe:
    rate = recipe.learning_rate * _RATES[number % len(_RATES)]
    strength = recipe.elr_strength if number % 2 == 0 else recipe.elr_strength / 3
    return replace(recipe, learning_rate=rate, elr_strength=strength)


def _diagnostics(student: Student) -> dict[str, Diagnostic]:
    return {
        "student_epoch": student.epoch,
        "student_epoch_chosen_by": "last" if student.validation_auroc is None else "validation",
        "student_validation_auroc": student.validation_auroc,
        "init": student.init,
    }


def _souped(
    students: Sequence[Student], validation: LabelledFeatures
) -> tuple[Member, dict[str, Diagnostic]]:
    def recall(member: Member) -> float:
        logits = FeatureModel((member,)).logits(validation.features)
        return tpr_at_fpr(logits, validation.labels, SOUP_RATE)

    soup = greedy_soup([Ingredient(s.member, s.init) for s in students], recall)
    best = students[soup.chosen[0]]
    facts: dict[str, Diagnostic] = {"soup_runs": len(students), "soup_members": len(soup.chosen)}
    return soup.member, _diagnostics(best) | facts | {"soup_validation_tpr": soup.score}
