"""Mode `svd-safe`: the subspace score on features whitened by trusted benign prompts.

Norms are clipped, an inverted score is refused, the threshold comes from a finer tail, rows between
the median and T teach nothing, and the student resists wrong labels.
"""

from dataclasses import dataclass, replace

import numpy as np

from classifiers.malicious.data.training_set import (
    Block,
    Diagnostic,
    Fitted,
    LabelledFeatures,
    Labels,
    Recipe,
    TrainingSet,
    required,
)
from classifiers.malicious.feature_model import Array
from classifiers.malicious.modes.ranking import Orientation, check_orientation
from classifiers.malicious.modes.runs import train_runs
from classifiers.malicious.modes.subspace import (
    Kappa,
    Subspace,
    choose_cut,
    fit_subspace,
    pseudo_labels,
)
from classifiers.malicious.modes.whitening import Whitening, fit_whitening
from guard.terms.detector import Features
from guard.terms.errors import ConfigError

FINE_LEVELS = (0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999)
UNGUIDED_LEVEL = 0.975
"""T's quantile where no labelled rows can choose it."""
BENIGN_LEVEL = 0.5


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A block whitened, its subspace about the trusted mean, k, and what the check rows say."""

    block: Block
    whitening: Whitening
    subspace: Subspace
    k: int
    orientation: Orientation | None

    def rows(self, features: Features) -> Features:
        return self.whitening.apply(features[:, self.block.columns])

    def kappa(self, features: Features) -> Kappa:
        return self.subspace.kappa(self.rows(features), self.k)


def fit_svd_safe(training: TrainingSet, recipe: Recipe, rng: np.random.Generator) -> Fitted:
    """Whitening, subspace and student. Labelled validation chooses block, k and T and tests the
    orientation; without it seeds against trusted rows do that, and T is the 97.5 % quantile.

    ConfigError without trusted benign rows; OrientationError where the score is inverted.
    """
    trusted = required(training.trusted_benign, "trusted_benign", "svd-safe")
    checks = _checks(training, trusted)
    chosen = _choose(training, trusted, checks, recipe, rng)
    kappa = chosen.kappa(training.unlabelled)
    cut, purity = _cut(kappa, chosen, training.validation)
    labels = pseudo_labels(kappa, cut)
    kept = _kept(kappa, labels, recipe)
    rows = np.concatenate([chosen.rows(training.unlabelled[kept]), chosen.rows(trusted)])
    targets = np.concatenate([labels[kept], np.zeros(len(trusted), dtype=np.int_)])
    ids = [training.ids[row] for row in kept] + [f"trusted {n}" for n in range(len(trusted))]
    member, facts = train_runs(
        *(rows, targets, recipe, rng),
        ids=ids,
        validation=_prepared(training.validation, chosen),
    )
    model = _placed(chosen, training.width).model(member)
    return Fitted(model, _diagnostics(chosen, cut, purity, labels, len(kept)) | facts)


def _checks(training: TrainingSet, trusted: Features) -> LabelledFeatures | None:
    """What tells a right score from an inverted one: validation, else seeds beside trusted rows."""
    if training.validation is not None:
        return training.validation
    attacks = training.malicious_seeds
    if attacks is None and training.generated is not None:
        attacks = training.generated.features[training.generated.labels == 1]
    if attacks is None or not len(attacks):
        return None
    labels = np.repeat([1, 0], [len(attacks), len(trusted)])
    return LabelledFeatures(np.concatenate([attacks, trusted]), labels)


def _choose(
    training: TrainingSet,
    trusted: Features,
    checks: LabelledFeatures | None,
    recipe: Recipe,
    rng: np.random.Generator,
) -> _Candidate:
    """The block and k with the best AUROC on the check rows (ties: the first), not inverted."""
    best: _Candidate | None = None
    for block in training.layers:
        for candidate in _candidates(training, trusted, block, recipe):
            if checks is None:
                return candidate
            scored = replace(candidate, orientation=_ranked(candidate, checks))
            if best is None or _auroc(scored) > _auroc(best):
                best = scored
    if best is None or checks is None:
        raise ConfigError("blocks: there is no layer to choose from")
    found = check_orientation(best.kappa(checks.features), checks.labels, rng)
    return replace(best, orientation=found)


def _candidates(
    training: TrainingSet, trusted: Features, block: Block, recipe: Recipe
) -> list[_Candidate]:
    columns = block.columns
    whitening = fit_whitening(trusted[:, columns], recipe.shrinkage, recipe.clip_quantile)
    rows = whitening.apply(training.unlabelled[:, columns])
    # Whitened trusted rows have mean zero: the centre is theirs, which traffic cannot move.
    subspace = fit_subspace(
        rows, min(recipe.most_directions, min(rows.shape) - 1), np.zeros(rows.shape[1])
    )
    count = len(subspace.singular_values)
    return [_Candidate(block, whitening, subspace, k, None) for k in range(1, count + 1)]


def _ranked(candidate: _Candidate, checks: LabelledFeatures) -> Orientation:
    from classifiers.malicious.modes.ranking import auroc

    return Orientation(auroc(candidate.kappa(checks.features), checks.labels), 0.0)


def _auroc(candidate: _Candidate) -> float:
    return candidate.orientation.auroc if candidate.orientation else 0.0


def _cut(
    kappa: Kappa, chosen: _Candidate, validation: LabelledFeatures | None
) -> tuple[float, float | None]:
    """T, and the estimated share of truly malicious rows above it (None without validation)."""
    if validation is None:
        return float(np.quantile(kappa, UNGUIDED_LEVEL)), None
    checked = chosen.kappa(validation.features)
    cut = choose_cut(np.unique(np.quantile(kappa, FINE_LEVELS)), checked, validation.labels)
    hits = float((checked[validation.labels == 1] > cut).mean())
    alarms = float((checked[validation.labels == 0] > cut).mean())
    flagged = float((kappa > cut).mean())
    if hits <= alarms or not flagged:
        return cut, 0.0
    # flagged = share * hits + (1 - share) * alarms, solved for the malicious share of traffic.
    share = float(np.clip((flagged - alarms) / (hits - alarms), 0, 1))
    return cut, min(1.0, share * hits / flagged)


def _kept(kappa: Kappa, labels: Labels, recipe: Recipe) -> Labels:
    """Row numbers that teach: all pseudo-malicious ones, and of the others the lower half."""
    if not recipe.discard_band:
        return np.arange(len(labels))
    return np.flatnonzero((labels == 1) | (kappa <= np.quantile(kappa, BENIGN_LEVEL)))


def _prepared(validation: LabelledFeatures | None, chosen: _Candidate) -> LabelledFeatures | None:
    if validation is None:
        return None
    return replace(validation, features=chosen.rows(validation.features))


def _placed(chosen: _Candidate, width: int) -> Whitening:
    """The block's whitening as one of whole rows: other columns weigh nothing."""
    whitening, columns = chosen.whitening, chosen.block.columns
    mean: Array = np.zeros(width, dtype=np.float32)
    matrix: Array = np.zeros((width, whitening.matrix.shape[1]), dtype=np.float32)
    mean[columns], matrix[columns] = whitening.mean, whitening.matrix
    return Whitening(mean, matrix, whitening.norm_clip)


def _diagnostics(
    chosen: _Candidate, cut: float, purity: float | None, labels: Labels, kept: int
) -> dict[str, Diagnostic]:
    found = chosen.orientation
    return {
        "layer": chosen.block.name,
        "k": chosen.k,
        "T": cut,
        "kappa_auroc": found.auroc if found else None,
        "kappa_auroc_error": found.error if found else None,
        "orientation_tested": found is not None,
        "pseudo_positive_fraction": float(labels.mean()),
        "estimated_purity": purity,
        "rows_kept": kept,
        "norm_clip": chosen.whitening.norm_clip,
    }
