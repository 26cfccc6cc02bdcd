"""Fits a mode, shard by shard where members vote, as a stage that an interruption does not lose."""

from collections.abc import Mapping
from time import perf_counter

import numpy as np
from pydantic import JsonValue

from classifiers.malicious.data.shards import combine
from classifiers.malicious.data.training_set import Diagnostic, Fitted, Mode, TrainingSet
from classifiers.malicious.encoded import EncodedPrompts, Rows
from classifiers.malicious.feature_model import FeatureModel
from classifiers.malicious.modes.contract import fit
from classifiers.malicious.recipe import FEATURE_MODES, MaliciousRecipe
from classifiers.malicious.stages import Stage, StageFolder
from guard.terms.errors import ConfigError

SECONDS = "seconds"
REFUSED = "refused"


def fit_stage(
    mode: Mode,
    encoded: EncodedPrompts,
    shards: tuple[Rows, ...],
    recipe: MaliciousRecipe,
    stages: StageFolder,
) -> Stage:
    """The model's tensors, and its diagnostics with the seconds that fitting took.

    A mode that refuses its data (ConfigError) gives no tensors and says why.
    """
    return stages.run(mode, lambda: _fitted(mode, encoded, shards, recipe))


def model_of(stage: Stage) -> FeatureModel:
    """The model in a stage; ConfigError where the mode refused."""
    if REFUSED in stage.facts:
        raise ConfigError(str(stage.facts[REFUSED]))
    return FeatureModel.from_tensors(stage.tensors)


def _fitted(
    mode: Mode, encoded: EncodedPrompts, shards: tuple[Rows, ...], recipe: MaliciousRecipe
) -> Stage:
    started = perf_counter()
    training = encoded.training_set(recipe.pieces_per_prompt)
    rng = np.random.default_rng([recipe.seed, FEATURE_MODES.index(mode)])
    try:
        if len(shards) == 1 or mode == "supervised":
            found = fit(mode, training, recipe.learning_recipe, rng)
        else:
            found = _fit_shards(mode, training, _shard_rows(encoded, shards, recipe), recipe, rng)
    except ConfigError as error:
        return Stage({}, {REFUSED: str(error)})
    facts: Mapping[str, JsonValue] = {
        **found.diagnostics,
        SECONDS: round(perf_counter() - started, 2),
    }
    return Stage(found.model.tensors(), facts)


def _shard_rows(
    encoded: EncodedPrompts, shards: tuple[Rows, ...], recipe: MaliciousRecipe
) -> list[Rows]:
    return [encoded.unlabelled_rows(shard, recipe.pieces_per_prompt) for shard in shards]


def _fit_shards(
    mode: Mode,
    training: TrainingSet,
    shards: list[Rows],
    recipe: MaliciousRecipe,
    rng: np.random.Generator,
) -> Fitted:
    """One member per shard; what they share must not come from traffic (see `shards`)."""
    found = [fit(mode, training.rows(rows), recipe.learning_recipe, rng) for rows in shards]
    try:
        model = combine([one.model for one in found])
    except ValueError as error:
        raise ConfigError(f"shards: mode `{mode}` cannot vote by shards: {error}") from error
    diagnostics: dict[str, Diagnostic] = {
        f"shard_{number}_{name}": value
        for number, one in enumerate(found)
        for name, value in one.diagnostics.items()
    }
    return Fitted(model, diagnostics)
