"""`ecoguard-train malicious` from input to artifact.

Sources -> near duplicates, quotas, held-out parts -> features as served -> modes and baselines ->
scaling and threshold on prompts that taught nothing -> gate -> artifact with reports. Features and
fitted modes are kept in a work folder, so an interrupted training goes on where it stopped.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pydantic import JsonValue

from classifiers.encoder.features import FeatureCache
from classifiers.malicious.candidate import Candidate, judge
from classifiers.malicious.data.training_set import MODES, Block, Diagnostic, Mode
from classifiers.malicious.detector_artifact import (
    Reports,
    kept_rng,
    write_feature_detector,
    write_fine_tuned,
)
from classifiers.malicious.encoded import EncodedPrompts, encode_prompts
from classifiers.malicious.fitting import REFUSED, SECONDS, fit_stage, model_of
from classifiers.malicious.gate.promotion import check_promotion
from classifiers.malicious.gate.served_model import feature_scorer
from classifiers.malicious.gate.trigger_scan import Model
from classifiers.malicious.inputs import Read, TrainingPrompts, read_training_prompts
from classifiers.malicious.measured_baselines import baseline_scores
from classifiers.malicious.modes.fine_tuned import MODE as FINE_TUNED
from classifiers.malicious.modes.fine_tuned import fine_tuned_model, fit_fine_tuned
from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.malicious.report.comparison import (
    Measured,
    baseline_figures,
    chosen_report,
    measured_prompts,
    mode_figures,
)
from classifiers.malicious.report.model_card import card_text
from classifiers.malicious.report.training_page import training_page
from classifiers.malicious.stages import StageFolder, stage_key
from classifiers.prompts.sources import read_labelled
from classifiers.runs.stage_progress import stage_progress
from guard.artifacts.folder import Artifact
from guard.terms.detector import Encoder
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Training:
    """A training under way: its prompts, their features if a mode reads them, finished stages."""

    recipe: MaliciousRecipe
    encoder: Encoder | None
    prompts: TrainingPrompts
    encoded: EncodedPrompts | None
    stages: StageFolder
    progress: bool

    @property
    def measured(self) -> Measured:
        """The prompts that measure."""
        return measured_prompts(self.prompts.parts)


@dataclass(slots=True)
class Outcome:
    """What the modes came to: candidates, why a mode refused, what fine-tuning wrote."""

    candidates: dict[str, Candidate]
    refused: dict[str, str]
    fine_tuned: Artifact | None = None


def train_malicious(
    recipe: MaliciousRecipe,
    encoder: Encoder | None,
    out: Path,
    *,
    blocks: tuple[Block, ...] = (),
    read: Read | None = None,
    progress: bool = False,
) -> Artifact:
    """Train and write the detector of a recipe; returns the artifact.

    `blocks` are the layers that the encoder's features consist of, none meaning one. `read` gives
    the prompts of a source, `read_labelled` by default.
    Its kind is `malicious`, or `malicious-text` of mode `fine-tuned`, which needs no `encoder`.
    Raises ConfigError for input that cannot be used, and PromotionRefusedError where the gate
    finds the detector worse than the one in service; then nothing is written.
    """
    if encoder is None and recipe.mode != FINE_TUNED:
        raise ConfigError(f"encoder: mode `{recipe.mode}` reads the features of an encoder")
    work = recipe.cache or out.parent / f".{out.name}.work"
    training = _start(
        recipe, encoder, work, read or _reader(recipe), blocks=blocks, progress=progress
    )
    outcome = _fit_modes(training)
    if recipe.mode not in outcome.candidates:
        raise ConfigError(outcome.refused[recipe.mode])
    artifact = _write(training, outcome, out)
    if recipe.cache is None:
        shutil.rmtree(work, ignore_errors=True)
    return artifact


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
    blocks: tuple[Block, ...],
    progress: bool,
) -> Training:
    prompts = read_training_prompts(recipe, read)
    encoded = None
    if encoder is not None and (recipe.compare or recipe.mode != FINE_TUNED):
        encoded = encode_prompts(
            prompts, encoder, FeatureCache(work), blocks=blocks, progress=progress
        )
    decisions = {k: v for k, v in recipe.recorded().items() if k not in ("mode", "compare")}
    data: dict[str, JsonValue] = {name: part.sha256 for name, part in prompts.data().items()}
    encoders: list[JsonValue] = [encoder.digest if encoder else None, recipe.base]
    key = stage_key({"recipe": decisions, "encoders": encoders, "data": data})
    stages = StageFolder(work / "stages", key)
    return Training(recipe, encoder, prompts, encoded, stages, progress)


def _fit_modes(training: Training) -> Outcome:
    """Each mode that was asked for, fitted and judged."""
    outcome = Outcome({}, {})
    modes = _feature_modes(training)
    with stage_progress(training.progress) as report:
        for done, mode in enumerate(modes):
            report(f"fitting {mode}", done, len(modes))
            try:
                outcome.candidates[mode] = _candidate(mode, training)
            except ConfigError as error:
                outcome.refused[mode] = str(error)
    if training.recipe.mode == FINE_TUNED:
        outcome.fine_tuned, outcome.candidates[FINE_TUNED] = fit_fine_tuned(
            training.prompts, training.recipe, training.stages.folder, progress=training.progress
        )
    return outcome


def _feature_modes(training: Training) -> Sequence[Mode]:
    if training.encoded is None:
        return ()
    return [mode for mode in MODES if training.recipe.compare or mode == training.recipe.mode]


def _candidate(mode: Mode, training: Training) -> Candidate:
    recipe, encoded = training.recipe, training.encoded
    if encoded is None:
        raise ConfigError(f"encoder: mode `{mode}` reads the features of an encoder")
    stage = fit_stage(mode, encoded, training.prompts.shards, recipe, training.stages)
    model = model_of(stage)
    facts: dict[str, Diagnostic] = {
        name: value
        for name, value in stage.facts.items()
        if name not in (SECONDS, REFUSED) and not isinstance(value, list | dict)
    }
    return judge(
        mode,
        model,
        encoded,
        fpr=recipe.fpr,
        confidence=recipe.confidence,
        diagnostics=facts,
        seconds=float(str(stage.facts[SECONDS])),
    )


def _write(training: Training, outcome: Outcome, out: Path) -> Artifact:
    recipe, chosen = training.recipe, outcome.candidates[training.recipe.mode]
    report = _report(training, outcome)
    if recipe.in_service is not None:
        report["gate"] = _gate(training, outcome, recipe.in_service)
    report["summary"] = card_text(report, recipe.attribution)
    reports = Reports(
        figures=mode_figures(chosen, training.measured, recipe),
        report=report,
        page=training_page(recipe.name, report, outcome.candidates, training.measured),
        data=training.prompts.data(),
    )
    if outcome.fine_tuned is not None:
        return write_fine_tuned(out, outcome.fine_tuned, recipe, reports)
    digest = training.encoder.digest if training.encoder else ""
    return write_feature_detector(out, chosen, digest, recipe, reports)


def _report(training: Training, outcome: Outcome) -> dict[str, JsonValue]:
    recipe, measured = training.recipe, training.measured
    chosen = outcome.candidates[recipe.mode]
    modes: Mapping[str, JsonValue] = {
        mode: mode_figures(candidate, measured, recipe)
        for mode, candidate in outcome.candidates.items()
    }
    refused: Mapping[str, JsonValue] = {
        mode: {REFUSED: why} for mode, why in outcome.refused.items()
    }
    baselines = baseline_scores(training.prompts, training.encoded, measured, recipe)
    return {
        **chosen_report(chosen, measured, training.prompts.calibration, recipe, kept_rng(recipe)),
        "rows": training.prompts.counts(),
        "prior": recipe.prior,
        "modes": {
            mode: {**modes, **refused}[mode]
            for mode in (*MODES, FINE_TUNED)
            if mode in modes or mode in refused
        },
        "baselines": baseline_figures(baselines, measured, recipe),
        "gate": None,
    }


def _gate(training: Training, outcome: Outcome, in_service: Path) -> JsonValue:
    """The gate's report without what traffic says; PromotionRefusedError where it says no."""
    chosen = outcome.candidates[training.recipe.mode]
    scores = None
    if outcome.fine_tuned is not None:
        model = fine_tuned_model(outcome.fine_tuned)
    elif training.encoder and training.encoded and chosen.model:
        traffic = training.encoded.parts["unlabelled"]
        scores = traffic.highest(chosen.model.score(traffic.pieces.features))
        scorer = feature_scorer(chosen.model.score, training.encoder)
        model = Model(scorer, chosen.threshold.value)
    with stage_progress(training.progress) as report:
        result = check_promotion(
            model,
            training.prompts,
            in_service,
            training.encoder,
            training.recipe,
            traffic_scores=scores,
            progress=report,
        )
    return {name: value for name, value in result.report().items() if name != "trigger_scan"}
