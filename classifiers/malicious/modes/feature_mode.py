"""Modes that learn a classifier of an encoder's features: what all of them share.

A mode says how it learns from rows. Here rows become a judged detector: fitted once for all traffic
or once a shard, scaled, with a threshold, ready to be asked by the gate and written.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TypeVar
from zlib import crc32

import numpy as np
from pydantic import JsonValue

from classifiers.malicious.calibration import fit_scaling
from classifiers.malicious.candidate import Candidate, Release, usable_threshold
from classifiers.malicious.data.prompt_parts import MEASURING
from classifiers.malicious.data.shards import combine
from classifiers.malicious.data.training_set import Diagnostic, Fitted, TrainingSet
from classifiers.malicious.encoded import EncodedPrompts
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.fits import KeptFit
from classifiers.malicious.gate.served_model import feature_scorer
from classifiers.malicious.gate.trigger_scan import Model
from classifiers.malicious.modes.mode import Mode, Task
from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import PAGE, draft
from guard.detectors.malicious.features import KIND
from guard.detectors.weights import logistic
from guard.terms.detector import Encoder, Scores
from guard.terms.errors import ConfigError

S = TypeVar("S")
SECONDS = "seconds"
REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureCandidate(Candidate):
    """A classifier of features, scaled, beside the encoder and the features it was learned on."""

    model: FeatureModel
    encoder: Encoder
    encoded: EncodedPrompts

    def served(self) -> Model:
        """As the gate asks it."""
        return Model(feature_scorer(self.model.score, self.encoder), self.threshold.value)

    def traffic_scores(self) -> Scores | None:
        """Of the unlabelled prompts: their features are there already."""
        traffic = self.encoded.parts["unlabelled"]
        return traffic.highest(self.model.score(traffic.pieces.features))

    def write(self, out: Path, release: Release) -> Artifact:
        """An artifact of kind `malicious`, pinned to its encoder."""
        manifest = draft(
            KIND,
            release.name,
            encoder=self.encoder.digest,
            thresholds={"score": self.threshold.value},
            metrics=release.metrics,
            recipe=release.recipe,
            data=release.data,
        )
        tensors = {**self.model.tensors(), **self.kept(release.seed).tensors()}
        return write(
            out, manifest, tensors=tensors, files={PAGE: release.page}, report=release.report
        )


class FeatureMode(Mode[S]):
    """A mode that learns from rows of features."""

    @abstractmethod
    def learn(self, training: TrainingSet, settings: S, rng: np.random.Generator) -> Fitted:
        """A model of one member; all that is drawn comes from `rng`.

        ConfigError where the rows lack what the mode needs, or its score must not be believed.
        """

    def fit(self, task: Task, settings: S) -> Candidate:
        """The judged classifier; a finished fit, or a finished refusal, is not made again."""
        encoder, encoded = task.encoder, task.encoded
        if encoder is None or encoded is None:
            raise ConfigError(f"encoder: mode `{self.name}` needs it")
        kept = task.fits.run(self.name, lambda: self._fitted(encoded, task, settings))
        if REFUSED in kept.facts:
            raise ConfigError(str(kept.facts[REFUSED]))
        return _judged(self.name, kept, encoder, encoded, task)

    def _fitted(self, encoded: EncodedPrompts, task: Task, settings: S) -> KeptFit:
        started = perf_counter()
        # A generator of its own: a mode draws the same whichever others are fitted beside it.
        rng = np.random.default_rng([task.seed, crc32(self.name.encode())])
        training, shards = encoded.training_set(), task.prompts.shards
        try:
            if len(shards) == 1 or ("unlabelled",) not in self.needs:
                found = self.learn(training, settings, rng)
            else:
                rows = [encoded.unlabelled_rows(shard) for shard in shards]
                found = _voting([self.learn(training.rows(own), settings, rng) for own in rows])
        except ConfigError as error:
            return KeptFit({}, {REFUSED: str(error)})
        seconds = round(perf_counter() - started, 2)
        return KeptFit(found.model.tensors(), {**found.diagnostics, SECONDS: seconds})


def _voting(found: list[Fitted]) -> Fitted:
    """One member a shard; nothing that they share comes from traffic (see `data.shards`)."""
    diagnostics: dict[str, Diagnostic] = {
        f"shard_{number}_{name}": value
        for number, one in enumerate(found)
        for name, value in one.diagnostics.items()
    }
    return Fitted(combine([one.model for one in found]), diagnostics)


def _judged(
    mode: str, kept: KeptFit, encoder: Encoder, encoded: EncodedPrompts, task: Task
) -> FeatureCandidate:
    """Scaling and threshold, from the calibration prompts of both classes.

    ConfigError where all benign prompts score alike, so that no threshold lets them pass.
    """
    model = FeatureModel.from_tensors(kept.tensors)
    logits = {name: _prompt_logits(model, encoded, name) for name in MEASURING}
    scaling = fit_scaling(logits["calibration"], logits["malicious_calibration"])
    scaled = scaling.model(model)
    scores = {name: logistic(_prompt_logits(scaled, encoded, name)) for name in MEASURING}
    diagnostics = {
        **_diagnostics(kept.facts),
        "scaling_slope": scaling.slope,
        "scaling_offset": scaling.offset,
    }
    return FeatureCandidate(
        mode=mode,
        scores=scores,
        threshold=usable_threshold(scores["calibration"], task.fpr, task.confidence),
        diagnostics=diagnostics,
        seconds=float(str(kept.facts[SECONDS])),
        model=scaled,
        encoder=encoder,
        encoded=encoded,
    )


def _diagnostics(facts: Mapping[str, JsonValue]) -> dict[str, Diagnostic]:
    return {
        name: value
        for name, value in facts.items()
        if name != SECONDS and not isinstance(value, list | dict)
    }


def _prompt_logits(model: FeatureModel, encoded: EncodedPrompts, name: str) -> Scores:
    """Each prompt's highest logit over its pieces, shape (prompts,)."""
    part = encoded.parts[name]
    if not part.prompts:
        return np.empty(0, dtype=np.float32)
    return part.highest(model.logits(part.pieces.features))
