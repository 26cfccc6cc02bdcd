"""A fitted model on its way to an artifact: scaled scores of held-out prompts, and a threshold.

The threshold comes from trusted benign prompts that nothing learned from, by the Neyman-Pearson
order statistic (Tong, Feng, Li 2018) where they are enough for rate and confidence.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from classifiers.malicious.calibration import Scaling, fit_scaling, kept_scores
from classifiers.malicious.data.training_set import Diagnostic
from classifiers.malicious.encoded import MEASURING, EncodedPrompts
from classifiers.malicious.feature_model import FeatureModel
from classifiers.statistics.thresholds import Threshold, choose_threshold
from guard.detectors.calibration import Calibration
from guard.detectors.weights import logistic
from guard.terms.detector import Scores
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Candidate:
    """What a mode made: the scaled scores of each measuring part, and what fires.

    `model` is None for one that reads texts itself; `seconds` is how long fitting took.
    """

    mode: str
    scores: Mapping[str, Scores]
    threshold: Threshold
    diagnostics: Mapping[str, Diagnostic]
    seconds: float
    model: FeatureModel | None = None

    def kept(self, rng: np.random.Generator) -> Calibration:
        """The samples that serving compares scores with."""
        return Calibration(
            kept_scores(self.scores["calibration"], rng),
            kept_scores(self.scores["malicious_calibration"], rng),
        )


def judge(
    mode: str,
    model: FeatureModel,
    encoded: EncodedPrompts,
    *,
    fpr: float,
    confidence: float,
    diagnostics: Mapping[str, Diagnostic],
    seconds: float,
) -> Candidate:
    """Scale a fitted model and choose its threshold, from the calibration prompts of both classes.

    Raises ConfigError where all benign prompts score alike, so that no threshold lets them pass.
    """
    logits = {name: _prompt_logits(model, encoded, name) for name in MEASURING}
    scaling = fit_scaling(logits["calibration"], logits["malicious_calibration"])
    scaled = scaling.model(model)
    scores = {name: logistic(_prompt_logits(scaled, encoded, name)) for name in MEASURING}
    return Candidate(
        mode=mode,
        scores=scores,
        threshold=usable_threshold(scores["calibration"], fpr, confidence),
        diagnostics=_with_scaling(diagnostics, scaling),
        seconds=seconds,
        model=scaled,
    )


def usable_threshold(benign: Scores, fpr: float, confidence: float) -> Threshold:
    """The threshold from benign scores; ConfigError where it would lie above every score."""
    threshold = choose_threshold(benign, fpr, confidence)
    if not 0 < threshold.value <= 1:
        raise ConfigError(
            f"fpr: no threshold keeps the false-positive rate of {fpr:g}: benign prompts reach "
            "the highest score there is"
        )
    return threshold


def _prompt_logits(model: FeatureModel, encoded: EncodedPrompts, name: str) -> Scores:
    part = encoded.parts[name]
    if not part.prompts:
        return np.empty(0, dtype=np.float32)
    return part.highest(model.logits(part.pieces.features))


def _with_scaling(
    diagnostics: Mapping[str, Diagnostic], scaling: Scaling
) -> Mapping[str, Diagnostic]:
    return {**diagnostics, "scaling_slope": scaling.slope, "scaling_offset": scaling.offset}
