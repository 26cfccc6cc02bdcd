"""Mode `fine-tuned`: the encoder itself is trained; what it makes is judged like the other modes.

The trainer (`fine_tuning.training`) writes an artifact into the work folder. Its scores of held-out
prompts become a candidate; with the reports added, it is then written where it belongs.
"""

from pathlib import Path
from time import perf_counter

import numpy as np

from classifiers.malicious.candidate import Candidate, usable_threshold
from classifiers.malicious.encoded import MEASURING
from classifiers.malicious.gate.served_model import text_scorer
from classifiers.malicious.gate.trigger_scan import Model
from classifiers.malicious.inputs import TrainingPrompts
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.runs.stage_progress import stage_progress
from classifiers.statistics.thresholds import Threshold
from guard.artifacts.folder import Artifact, read
from guard.detectors.malicious.text import KIND, MaliciousTextClassifier
from guard.terms.detector import Scores
from guard.terms.errors import ArtifactError

MODE = "fine-tuned"
TEACHING = ("labelled", "malicious_seeds", "trusted_benign")


def fit_fine_tuned(
    prompts: TrainingPrompts, recipe: MaliciousRecipe, work: Path, *, progress: bool = False
) -> tuple[Artifact, Candidate]:
    """The artifact in the work folder and its candidate; a finished one is not trained again.

    Raises ConfigError where a class is missing or the encoder cannot be found.
    """
    started = perf_counter()
    artifact = _finished(work / MODE) or _trained(prompts, recipe, work, progress=progress)
    seconds = round(perf_counter() - started, 2)
    model = fine_tuned_model(artifact)
    scores = {name: _scores(model, prompts.parts[name]) for name in MEASURING}
    found = usable_threshold(scores["calibration"], recipe.fpr, recipe.confidence)
    # The artifact's own: batches change the last bits of a score.
    threshold = Threshold(model.threshold, found.method, found.rows)
    return artifact, Candidate(MODE, scores, threshold, {}, seconds)


def fine_tuned_model(artifact: Artifact) -> Model:
    """The detector in the artifact as the gate asks it."""
    detector = MaliciousTextClassifier.from_artifact(artifact)
    return Model(text_scorer(detector.score, detector), detector.threshold)


def _finished(folder: Path) -> Artifact | None:
    try:
        return read(folder, KIND)
    except ArtifactError:
        return None


def _trained(
    prompts: TrainingPrompts, recipe: MaliciousRecipe, work: Path, *, progress: bool
) -> Artifact:
    from classifiers.malicious.fine_tuning.training import train_malicious_text

    with stage_progress(progress) as report:
        return train_malicious_text(
            [prompt for name in TEACHING for prompt in prompts.parts[name]],
            [*prompts.calibration, *prompts.malicious_calibration],
            work / MODE,
            cache=work,
            recipe=recipe.fine_tuning_recipe,
            source=recipe.base,
            fpr=recipe.fpr,
            confidence=recipe.confidence,
            progress=report,
        )


def _scores(model: Model, prompts: tuple[LabelledPrompt, ...]) -> Scores:
    if not prompts:
        return np.empty(0, dtype=np.float32)
    return model.score([prompt.text for prompt in prompts])
