"""`ecoguard-train malicious` from input to artifact.

Sources -> near duplicates, quotas, held-out parts -> features as served -> modes and baselines ->
scaling and threshold on prompts that taught nothing -> gate -> artifact with reports. Features and
fits are kept in a work folder, so an interrupted training goes on where it stopped.
"""

import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from classifiers.encoder.features import FeatureCache
from classifiers.malicious.candidate import Candidate, Release
from classifiers.malicious.data.prompt_parts import TrainingPrompts
from classifiers.malicious.encoded import EncodedPrompts, encode_prompts
from classifiers.malicious.fits import FitFolder, fit_key
from classifiers.malicious.gate.promotion import check_promotion
from classifiers.malicious.inputs import Read, quota_warning, read_training_prompts
from classifiers.malicious.measured_baselines import baseline_scores
from classifiers.malicious.modes.mode import Mode, Task
from classifiers.malicious.modes.table import MODES
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.malicious.report.comparison import (
    REFUSED,
    MeasuredPrompts,
    baseline_figures,
    chosen_report,
    manifest_metrics,
    measured_prompts,
    mode_figures,
)
from classifiers.malicious.report.model_card import card_text
from classifiers.malicious.report.training_page import training_page
from classifiers.prompts.sources import read_labelled
from classifiers.runs.step_progress import Progress, step_progress, warn
from guard.artifacts.folder import Artifact
from guard.terms.detector import Encoder
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Training:
    """A training under way: its prompts, their features if a mode reads them, finished fits."""

    recipe: MaliciousRecipe
    encoder: Encoder | None
    prompts: TrainingPrompts
    encoded: EncodedPrompts | None
    fits: FitFolder
    progress: bool

    @property
    def measured(self) -> MeasuredPrompts:
        """The prompts that measure."""
        return measured_prompts(self.prompts.parts)

    def task(self, progress: Progress) -> Task:
        """What a mode is given."""
        recipe = self.recipe
        return Task(
            prompts=self.prompts,
            encoder=self.encoder,
            encoded=self.encoded,
            base=recipe.base,
            fits=self.fits,
            seed=recipe.seed,
            fpr=recipe.fpr,
            confidence=recipe.confidence,
            progress=progress,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the modes came to, in the order of the table: candidates, and why a mode refused."""

    candidates: Mapping[str, Candidate]
    refused: Mapping[str, str]


def train_malicious(
    recipe: MaliciousRecipe,
    encoder: Encoder | None,
    out: Path,
    *,
    read: Read | None = None,
    progress: bool = False,
) -> Artifact:
    """Train and write the detector of a recipe; returns the artifact, of the kind of its mode.

    `encoder` gives features to the modes that read them. `read` gives the prompts of a source,
    `read_labelled` by default.
    Raises ConfigError for input that cannot be used, and PromotionRefusedError where the gate
    finds the detector worse than the one in service; then nothing is written.
    """
    MODES[recipe.mode].check(_given(recipe, encoder))
    work = recipe.cache or out.parent / f".{out.name}.work"
    training = _start(recipe, encoder, work, read or _reader(recipe), progress=progress)
    outcome = _fit_modes(training)
    if recipe.mode not in outcome.candidates:
        raise ConfigError(outcome.refused[recipe.mode])
    artifact = _write(training, outcome, out)
    if recipe.cache is None:
        shutil.rmtree(work, ignore_errors=True)
    return artifact


def _given(recipe: MaliciousRecipe, encoder: Encoder | None) -> Collection[str]:
    return recipe.given() - {"encoder"} | ({"encoder"} if encoder else set())


def _reader(recipe: MaliciousRecipe) -> Read:
    return partial(
        read_labelled,
        encryption_key_env=recipe.store_key_env,
        password_env=recipe.store_password_env,
    )


def _start(
    recipe: MaliciousRecipe,
    encoder: Encoder | None,
    work: Path,
    read: Read,
    *,
    progress: bool,
) -> Training:
    prompts = read_training_prompts(recipe, read)
    if progress and (warning := quota_warning(prompts, recipe.quota)):
        warn(warning)
    encoded = None
    if encoder is not None and any(mode.reads_features for mode in _fitted_modes(recipe)):
        encoded = encode_prompts(prompts, encoder, FeatureCache(work), progress=progress)
    # A fit does not depend on which mode is chosen in the end: choosing another finds it again.
    decisions = {k: v for k, v in recipe.recorded().items() if k not in ("mode", "compare")}
    data: dict[str, JsonValue] = {name: part.sha256 for name, part in prompts.data().items()}
    encoders: list[JsonValue] = [encoder.digest if encoder else None, recipe.base]
    key = fit_key({"recipe": decisions, "encoders": encoders, "data": data})
    return Training(recipe, encoder, prompts, encoded, FitFolder(work / "fits", key), progress)


def _fitted_modes(recipe: MaliciousRecipe) -> Iterator[Mode[Any]]:
    """The recipe's mode, and with `compare` those that cost little beside it."""
    for name, mode in MODES.items():
        if name == recipe.mode or (recipe.compare and mode.reads_features):
            yield mode


def _fit_modes(training: Training) -> Outcome:
    """Each mode that was asked for, fitted and judged."""
    candidates: dict[str, Candidate] = {}
    refused: dict[str, str] = {}
    given = _given(training.recipe, training.encoder)
    modes = list(_fitted_modes(training.recipe))
    with step_progress(training.progress, lines=True) as tell:
        for done, mode in enumerate(modes):
            tell(f"fitting {mode.name}", done, len(modes))
            try:
                mode.check(given)  # of those that are compared; the chosen one was checked before
                settings = training.recipe.settings_of(mode)
                candidates[mode.name] = mode.fit(training.task(tell), settings)
            except ConfigError as error:
                refused[mode.name] = str(error)
    return Outcome(candidates, refused)


def _write(training: Training, outcome: Outcome, out: Path) -> Artifact:
    recipe, chosen = training.recipe, outcome.candidates[training.recipe.mode]
    report = _report(training, outcome)
    if recipe.in_service is not None:
        report["gate"] = _gate(training, chosen, recipe.in_service)
    report["summary"] = card_text(report, recipe.attribution)
    release = Release(
        name=recipe.name,
        recipe=recipe.recorded(),
        metrics=manifest_metrics(mode_figures(chosen, training.measured, recipe)),
        report=report,
        page=training_page(recipe.name, report, outcome.candidates, training.measured),
        data=training.prompts.data(),
        seed=recipe.seed,
    )
    return chosen.write(out, release)


def _report(training: Training, outcome: Outcome) -> dict[str, JsonValue]:
    recipe, measured = training.recipe, training.measured
    chosen = outcome.candidates[recipe.mode]
    lines: dict[str, JsonValue] = {
        **{name: mode_figures(one, measured, recipe) for name, one in outcome.candidates.items()},
        **{name: {REFUSED: why} for name, why in outcome.refused.items()},
    }
    baselines = baseline_scores(training.prompts, training.encoded, measured, recipe.seed)
    return {
        **chosen_report(chosen, measured, training.prompts.calibration, recipe),
        "rows": training.prompts.counts(),
        "modes": {name: lines[name] for name in MODES if name in lines},
        "baselines": baseline_figures(baselines, measured),
        "gate": None,
    }


def _gate(training: Training, chosen: Candidate, in_service: Path) -> JsonValue:
    """The gate's report without what traffic says; PromotionRefusedError where it says no."""
    recipe = training.recipe
    with step_progress(training.progress, lines=True) as tell:
        result = check_promotion(
            chosen.served(),
            training.prompts,
            in_service,
            training.encoder,
            fpr=recipe.fpr,
            evaluations=recipe.scan_evaluations,
            seed=recipe.seed,
            traffic_scores=chosen.traffic_scores(),
            progress=tell,
        )
    return {name: value for name, value in result.report().items() if name != "trigger_scan"}
