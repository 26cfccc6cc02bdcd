"""Mode `fine-tuned`: the encoder itself is trained; what it makes is judged like the other modes.

The trainer (`fine_tuning.training`) writes an artifact into the folder of fits. Its scores of
held-out prompts become a candidate; with the reports added, it is written where it belongs.
"""

from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

from classifiers.malicious.candidate import Candidate, Release, usable_threshold
from classifiers.malicious.data.prompt_parts import MEASURING
from classifiers.malicious.fine_tuning.examples import Mixture
from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.malicious.gate.served_model import text_scorer
from classifiers.malicious.gate.trigger_scan import Model
from classifiers.malicious.modes.mode import Mode, Task
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics.thresholds import Threshold
from guard.artifacts.folder import WEIGHTS, Artifact, read, write
from guard.artifacts.manifest import CARD, MANIFEST, PAGE, REPORT, draft
from guard.detectors.malicious.text import KIND, MaliciousTextClassifier
from guard.terms.detector import Scores
from guard.terms.errors import ArtifactError

LEARNED_FROM = ("labelled", "malicious_seeds", "trusted_benign")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCandidate(Candidate):
    """A detector that reads texts itself, as the trainer wrote it."""

    artifact: Artifact

    def served(self) -> Model:
        """As the gate asks it."""
        return _served(self.artifact)

    def write(self, out: Path, release: Release) -> Artifact:
        """The trainer's artifact with the name, recipe and reports of this training."""
        made = self.artifact
        manifest = draft(
            made.manifest.kind,
            release.name,
            thresholds=made.manifest.thresholds,
            metrics=release.metrics,
            recipe={**release.recipe, **made.manifest.recipe},
            data=release.data,
        )
        own = (MANIFEST, WEIGHTS, REPORT, CARD, PAGE)
        files = {name: content for name, content in made.contents.items() if name not in own}
        return write(
            out,
            manifest,
            tensors=made.tensors(),
            files={**files, PAGE: release.page},
            report=release.report,
        )


class FineTuned(Mode[FineTuning]):
    """An encoder trained further on labelled prompts, with a table of n-grams beside it."""

    name = "fine-tuned"
    needs = (("labelled",),)
    settings = FineTuning

    def fit(self, task: Task, settings: FineTuning) -> Candidate:
        """The judged detector; a finished one is not trained again.

        ConfigError where a class is missing or the encoder cannot be found.
        """
        started = perf_counter()
        folder = task.fits.folder / self.name
        artifact = _finished(folder) or _trained(task, settings, folder)
        seconds = round(perf_counter() - started, 2)
        model = _served(artifact)
        scores = {name: _scores(model, task.prompts.parts[name]) for name in MEASURING}
        found = usable_threshold(scores["calibration"], task.fpr, task.confidence)
        return TextCandidate(
            mode=self.name,
            scores=scores,
            # The artifact's own: batches change the last bits of a score.
            threshold=Threshold(model.threshold, found.method, found.rows),
            diagnostics={},
            seconds=seconds,
            artifact=artifact,
        )


def _served(artifact: Artifact) -> Model:
    detector = MaliciousTextClassifier.from_artifact(artifact)
    return Model(text_scorer(detector.score, detector), detector.threshold)


def _finished(folder: Path) -> Artifact | None:
    try:
        return read(folder, KIND)
    except ArtifactError:
        return None


def _trained(task: Task, settings: FineTuning, folder: Path) -> Artifact:
    from classifiers.malicious.fine_tuning.training import train_malicious_text

    mixture = Mixture(seed=task.seed)
    return train_malicious_text(
        [prompt for name in LEARNED_FROM for prompt in task.prompts.parts[name]],
        [*task.prompts.calibration, *task.prompts.malicious_calibration],
        folder,
        cache=folder.parent,
        settings=settings,
        # No part of generated prompts: the recipe asked for none.
        mixture=mixture if task.prompts.generated else mixture.without_generated(),
        source=task.base,
        seed=task.seed,
        fpr=task.fpr,
        confidence=task.confidence,
        progress=task.progress,
    )


def _scores(model: Model, prompts: tuple[LabelledPrompt, ...]) -> Scores:
    if not prompts:
        return np.empty(0, dtype=np.float32)
    return model.score([prompt.text for prompt in prompts])
