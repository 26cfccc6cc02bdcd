"""Mode `contrastive`: a few malicious seeds against unlabelled traffic.

Three scores, each with mean 0 and standard deviation 1 on benign rows, are added:
- positive-unlabelled: logistic regression of seeds against traffic, strongly regularised, since
  some of the traffic is malicious (Elkan and Noto, 2008: the ranking stays that of the posterior);
- density ratio: traffic against trusted benign rows; what traffic has more of is suspect. It needs
  no seed, so it counts the less the more seeds there are, and nothing where it disagrees with them;
- nearness to seeds minus nearness to benign prototypes (`prototypes.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from classifiers.malicious.data.training_set import Diagnostic, Fitted, TrainingSet
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.directions import Direction, Weights, even_weights, fit_direction
from classifiers.malicious.modes.feature_mode import FeatureMode
from classifiers.malicious.modes.prototypes import Nearness, as_member, fit_nearness
from classifiers.malicious.modes.ranking import auroc
from guard.terms.detector import Features
from guard.terms.errors import ConfigError

SEEDS_LIKE_GENERATED = 3.0
"""So many independent operator seeds weigh as much as all generated ones together."""
SEEDS_LIKE_RATIO = 3.0
"""So many independent operator seeds halve the density ratio's share."""
COUNTERPARTS = 0.2
"""Share of the negatives' weight that generated harmless counterparts have."""
RATIO_STRENGTH = 0.1
"""Inverse regularisation of traffic against trusted rows."""


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows (n, d) with weights (n,) that sum to 1."""

    features: Features
    weights: Weights


@dataclass(frozen=True, slots=True)
class ContrastiveSettings:
    """`strength` is the inverse regularisation of seeds against traffic. Some of the traffic is
    malicious and some may be poisoned: the weaker the fit, the less those rows move it."""

    strength: float = 0.01


class Contrastive(FeatureMode[ContrastiveSettings]):
    """Seeds of people and of our own generators against traffic."""

    name = "contrastive"
    needs = (("encoder",), ("unlabelled",), ("malicious_seeds", "generated"))
    settings = ContrastiveSettings

    def learn(
        self, training: TrainingSet, settings: ContrastiveSettings, rng: np.random.Generator
    ) -> Fitted:
        """The sum of the three scores as one member; ConfigError without seeds of either kind."""
        if not _count(training.malicious_seeds) and training.generated is None:
            raise ConfigError(f"malicious_seeds or generated: mode `{self.name}` needs it")
        # Traffic counts as negative although some of it is not: under that noise the ranking stays
        # that of the true posterior, only its scale is wrong, and scaling comes later.
        positives, negatives = _positives(training), _negatives(training)
        benign = training.unlabelled if training.trusted_benign is None else training.trusted_benign
        direction = _against(positives, negatives, settings.strength).standardised(benign)
        ratio, share, agreement = _density_ratio(training, positives)
        if ratio is not None:
            direction = direction.plus(ratio.standardised(benign), share)
        model = FeatureModel((as_member(direction, _nearness(training, benign, rng)),))
        facts: dict[str, Diagnostic] = {
            "seeds": _count(training.malicious_seeds),
            "independent_seeds": independent_seeds(training),
            "generated_seeds": len(positives.features) - _count(training.malicious_seeds),
            "density_ratio_share": share,
            "density_ratio_agreement": agreement,
        }
        return Fitted(model, facts)


def _count(rows: Features | None) -> int:
    return 0 if rows is None else len(rows)


def _positives(training: TrainingSet) -> _Rows:
    """Seeds, all alike, and generated attacks, every generator alike."""
    generated = _generated(training, 1)
    seeds = training.malicious_seeds
    if seeds is None or not len(seeds):
        return generated
    given = _Rows(seeds, np.full(len(seeds), 1 / len(seeds)))
    return _mixed(given, generated, _seed_share(training))


def _seed_share(training: TrainingSet) -> float:
    """The seeds' share of all that speaks for attacks; the generated ones have the rest."""
    if training.generated is None:
        return 1.0
    independent = independent_seeds(training)
    return independent / (independent + SEEDS_LIKE_GENERATED)


def independent_seeds(training: TrainingSet) -> float:
    """How many seeds unlike one another the seeds are worth: n / (1 + (n - 1) c), where c is their
    mean cosine about the benign mean (Kish's design effect; seeds of one source are worth few)."""
    seeds = training.malicious_seeds
    if seeds is None or not len(seeds):
        return 0.0
    benign = training.unlabelled if training.trusted_benign is None else training.trusted_benign
    rows = (seeds - benign.mean(axis=0)).astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    count = len(rows)
    # The sum of all cosines (n, n) without those of a seed with itself.
    pairs = float((rows @ rows.T).sum()) - count
    alike = max(pairs / max(count * (count - 1), 1), 0.0)
    return count / (1 + (count - 1) * alike)


def _negatives(training: TrainingSet) -> _Rows:
    """Traffic, trusted rows and harmless counterparts of generated attacks."""
    parts = [training.unlabelled]
    if training.trusted_benign is not None:
        parts.append(training.trusted_benign)
    rows = np.concatenate(parts)
    traffic = _Rows(rows, np.full(len(rows), 1 / len(rows)))
    return _mixed(traffic, _generated(training, 0), 1 - COUNTERPARTS)


def _generated(training: TrainingSet, label: int) -> _Rows:
    if training.generated is None:
        return _Rows(np.empty((0, training.width), np.float32), np.empty(0))
    rows = np.flatnonzero(training.generated.labels == label)
    sources = [training.generated.sources[row] for row in rows]
    return _Rows(training.generated.features[rows], even_weights(sources))


def _mixed(one: _Rows, other: _Rows, share: float) -> _Rows:
    """Both, the first with `share` of the weight; all of it where there is no other."""
    if not len(other.features):
        return one
    features = np.concatenate([one.features, other.features])
    return _Rows(features, np.concatenate([share * one.weights, (1 - share) * other.weights]))


def _against(positives: _Rows, negatives: _Rows, strength: float) -> Direction:
    labels = np.repeat([1, 0], [len(positives.features), len(negatives.features)])
    return fit_direction(
        np.concatenate([positives.features, negatives.features]),
        labels,
        np.concatenate([positives.weights, negatives.weights]),
        strength,
    )


def _density_ratio(
    training: TrainingSet, positives: _Rows
) -> tuple[Direction | None, float, float | None]:
    """Traffic against trusted rows, its share, and how well it ranks attacks (AUROC)."""
    trusted = training.trusted_benign
    if trusted is None:
        return None, 0.0, None
    ratio = _against(_plain(training.unlabelled), _plain(trusted), RATIO_STRENGTH)
    agreement = _agreement(ratio, training, positives)
    share = SEEDS_LIKE_RATIO / (independent_seeds(training) + SEEDS_LIKE_RATIO)
    # Attacks differ from traffic in style too, so 0.4 is no objection; 0.25 is a plain one.
    share *= float(np.clip((agreement - 0.25) / 0.15, 0, 1))
    return ratio, share, agreement


def _agreement(ratio: Direction, training: TrainingSet, positives: _Rows) -> float:
    """AUROC of the ratio: attacks against harmless counterparts, or against traffic without any."""
    counterparts = _generated(training, 0).features
    others = counterparts if len(counterparts) else training.unlabelled
    rows: Sequence[Features] = (positives.features, others)
    scores = ratio.score(np.concatenate(rows))
    return auroc(scores, np.repeat([1, 0], [len(part) for part in rows]))


def _plain(rows: Features) -> _Rows:
    return _Rows(rows, np.full(len(rows), 1 / len(rows)))


def _nearness(
    training: TrainingSet, benign: Features, rng: np.random.Generator
) -> list[tuple[Nearness, float]]:
    """Nearness to seeds, to generated attacks, and, subtracted, to benign prototypes."""
    attacks = _seed_share(training)
    generated = _generated(training, 1).features
    seeds = training.malicious_seeds
    examples = [(seeds, attacks), (generated, 1 - attacks), (benign, -1.0)]
    return [
        (fit_nearness(rows, benign, int(rng.integers(2**31))), part)
        for rows, part in examples
        if part and rows is not None and len(rows)
    ]
