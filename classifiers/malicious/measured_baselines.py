"""The baselines on the prompts that measure a training, from what people and generators labelled.

The supervised ones learn from all rows with a label, so they are given more than the unlabelled
modes are.
"""

import numpy as np

from classifiers.malicious.data.prompt_parts import TrainingPrompts
from classifiers.malicious.encoded import EncodedPrompts, Rows, labels_of
from classifiers.malicious.modes.baselines import (
    kappa_scores,
    length_scores,
    mean_difference_scores,
    random_scores,
    tfidf_scores,
)
from classifiers.malicious.report.comparison import MeasuredPrompts
from guard.terms.detector import Features, Scores

TEACHING = ("malicious_seeds", "trusted_benign", "labelled", "generated")
FEWEST_TO_LEARN_FROM = 10


def baseline_scores(
    prompts: TrainingPrompts,
    encoded: EncodedPrompts | None,
    measured: MeasuredPrompts,
    seed: int,
) -> dict[str, Scores]:
    """Scores of the measured prompts, by baseline; those that lack rows to learn from are left out,
    and without features those that read them.

    A prompt scores highest over its pieces, as detectors do.
    """
    rng = np.random.default_rng([seed, 11])
    texts = [prompt.text for prompt in measured.prompts]
    found = {"random": random_scores(len(texts), rng), "length": length_scores(texts)}
    taught = tuple(prompt for name in TEACHING for prompt in prompts.parts[name])
    labels = labels_of(taught)
    if not texts or min(labels.sum(), (1 - labels).sum()) < FEWEST_TO_LEARN_FROM:
        return found
    sources = [prompt.source for prompt in taught]
    found["tf-idf"] = tfidf_scores([p.text for p in taught], labels, sources, texts)
    return found | (_feature_scores(encoded, measured, labels) if encoded else {})


def _feature_scores(
    encoded: EncodedPrompts, measured: MeasuredPrompts, labels: Rows
) -> dict[str, Scores]:
    first = np.concatenate([_first_pieces(encoded, name) for name in TEACHING])
    pieces = _pieces(encoded, measured)
    found = {"mean difference": mean_difference_scores(first, labels, pieces)}
    traffic = encoded.parts["unlabelled"].pieces.features
    if len(traffic) >= FEWEST_TO_LEARN_FROM:
        found["kappa"] = kappa_scores(traffic, pieces)
    return {name: _highest(encoded, measured, scores) for name, scores in found.items()}


def _first_pieces(encoded: EncodedPrompts, name: str) -> Features:
    part = encoded.parts[name]
    return part.pieces.first_of_each(len(part.prompts))


def _pieces(encoded: EncodedPrompts, measured: MeasuredPrompts) -> Features:
    """The features of all pieces of the measured prompts."""
    return np.concatenate([encoded.parts[name].pieces.features for name in measured.parts])


def _highest(encoded: EncodedPrompts, measured: MeasuredPrompts, piece_scores: Scores) -> Scores:
    """Each measured prompt's highest score, from those of all pieces in the same order."""
    parts = [encoded.parts[name] for name in measured.parts]
    ends = np.cumsum([len(part.pieces.features) for part in parts])
    pieces = np.split(piece_scores, ends[:-1])
    return np.concatenate([part.highest(own) for part, own in zip(parts, pieces, strict=True)])
