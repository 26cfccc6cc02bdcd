"""The recipe of `ecoguard-train malicious`: a YAML file, overridden by the command line.

What decides the result lands in the artifact's manifest (`recorded`); where inputs lie does not.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
)

from classifiers.malicious.data.quotas import SHARE
from classifiers.malicious.data.training_set import Recipe
from classifiers.runs.yaml_mapping import read_mapping
from guard.settings import secret
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.training import FineTuning

D = TypeVar("D")
TrainingMode = Literal["svd", "svd-safe", "contrastive", "supervised", "fine-tuned"]
FEATURE_MODES: tuple[TrainingMode, ...] = ("svd", "svd-safe", "contrastive", "supervised")

# Where things lie on this machine, as opposed to how they are learned from.
PLACES = (
    *("unlabelled", "trusted_benign", "malicious_seeds", "validation", "labelled"),
    *("encoder", "encoder_url", "encoder_key_env", "base", "cache", "in_service"),
    *("secret_env", "store_key_env", "store_password_env"),
)


def _learning(given: dict[str, JsonValue]) -> dict[str, JsonValue]:
    left_out = {"partitions", "soup"} & given.keys()
    if left_out:
        raise ValueError(f"unknown key {min(left_out)} (see shards and runs)")
    as_dataclass(Recipe, given)
    return given


def _fine_tuning(given: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if given:  # what checks them is heavy to import
        read_fine_tuning(given, 0)
    return given


def read_fine_tuning(given: Mapping[str, JsonValue], seed: int) -> "FineTuning":
    """The recipe of mode `fine-tuned`, one seed for all that is drawn; ValueError names a key."""
    from classifiers.malicious.fine_tuning.training import FineTuning

    found = as_dataclass(FineTuning, given)
    return replace(
        found,
        mixture=replace(found.mixture, seed=seed),
        optimisation=replace(found.optimisation, seed=seed),
    )


def as_dataclass(kind: type[D], given: Mapping[str, JsonValue]) -> D:
    """A dataclass from values by field, nested too; ValueError names an unknown or wrong key."""
    _check_keys(kind, given, "")
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        raise ValueError(_first_problem(error)) from error


def _check_keys(kind: Any, given: Mapping[str, JsonValue], path: str) -> None:
    known = {entry.name: entry.type for entry in fields(kind)}
    for key, value in given.items():
        if key not in known:
            raise ValueError(f"unknown key {path}{key} (known: {', '.join(sorted(known))})")
        if isinstance(value, dict) and is_dataclass(known[key]):
            _check_keys(known[key], value, f"{path}{key}.")


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(str(step) for step in problem['loc'])}: {problem['msg']}"


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError("must be odd, so that the shards' members cannot tie")
    return number


Share = Annotated[float, Field(gt=0, lt=1)]
Sources = tuple[Annotated[str, Field(min_length=1)], ...]


class MaliciousRecipe(BaseModel):
    """How a malicious-prompt detector is trained, and from what.

    `unlabelled` is traffic, `trusted_benign` and `malicious_seeds` were looked at by people;
    `validation` has labels: one part chooses, the other measures; `labelled` is what the mode
    `supervised` learns from. `fpr` is the false-positive rate allowed with `confidence`. Of the
    trusted benign prompts `calibration_share` is never learned from and sets the threshold.
    `quota` is the most prompts of one client, as a share of all unlabelled ones (20 are always
    kept); the environment variable `secret_env` holds a secret that decides, with the seed, which
    of a client's prompts count and which shard it falls into. `generated` adds attacks and
    harmless counterparts that our own code writes to what is learned from. `scan_evaluations`
    bounds the texts that the gate's trigger scan scores. `learning` holds fields of
    `training_set.Recipe`. Of mode `fine-tuned`, `base` is the encoder (a folder or a Hugging Face
    name) and `fine_tuning` fields of `fine_tuning.training.FineTuning`; `seed` holds there too.
    `store_key_env` and `store_password_env` are the environment variables with the keys that a
    traffic store's prompts are encrypted with, and its database's password.
    `attribution` says by source who wrote it and under what licence, for the model card.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)] = "malicious"
    mode: TrainingMode = "contrastive"
    compare: bool = False
    unlabelled: Sources = ()
    trusted_benign: Sources = ()
    malicious_seeds: Sources = ()
    validation: Sources = ()
    labelled: Sources = ()
    encoder: Path | None = None
    encoder_url: str | None = None
    encoder_key_env: str | None = None
    store_key_env: str | None = None
    store_password_env: str | None = None
    cache: Path | None = None
    in_service: Path | None = None
    fpr: Annotated[float, Field(ge=0.00001, le=0.5)] = 0.01
    confidence: Annotated[float, Field(ge=0.5, le=0.9999)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
    runs: Annotated[int, Field(ge=1, le=64)] = 1
    shards: Annotated[int, Field(ge=1, le=63), AfterValidator(_odd)] = 1
    quota: Annotated[float, Field(gt=0, le=1)] = SHARE
    secret_env: str | None = None
    calibration_share: Share = 0.5
    test_share: Share = 0.5
    generated: bool = True
    pieces_per_prompt: Annotated[int, Field(ge=1, le=64)] = 3
    prior: Annotated[float, Field(gt=0, lt=1)] = 0.01
    scan_evaluations: Annotated[int, Field(ge=100)] = 20_000
    base: str | None = None
    fine_tuning: Annotated[dict[str, JsonValue], AfterValidator(_fine_tuning)] = {}
    learning: Annotated[dict[str, JsonValue], AfterValidator(_learning)] = {}
    attribution: dict[str, str] = {}

    @property
    def drawing_key(self) -> bytes:
        """What quotas and shards are drawn by. Without a secret a client could foresee them;
        ConfigError where its variable is not set."""
        drawn = hashlib.sha256(f"malicious training {self.seed}".encode()).digest()
        if self.secret_env is None:
            return drawn
        return hmac.new(secret(self.secret_env).encode(), drawn, hashlib.sha256).digest()

    @property
    def learning_recipe(self) -> Recipe:
        """What the modes are given."""
        return replace(as_dataclass(Recipe, self.learning), soup=self.runs)

    @property
    def fine_tuning_recipe(self) -> "FineTuning":
        """What mode `fine-tuned` is given."""
        return read_fine_tuning(self.fine_tuning, self.seed)

    def recorded(self) -> dict[str, JsonValue]:
        """What the manifest keeps: every decision, no place."""
        return self.model_dump(mode="json", exclude={*PLACES, "attribution", "name"})

    def updated(self, given: Mapping[str, object]) -> "MaliciousRecipe":
        """This recipe with values of the command line; None and () mean "not given"."""
        chosen = {key: value for key, value in given.items() if value not in (None, ())}
        return _validated(self.model_dump() | chosen, "command line")


def read_recipe(file: Path | None) -> MaliciousRecipe:
    """The recipe in a YAML file, all defaults without one; ConfigError names file and key.

    Relative places are relative to the working directory, as on the command line.
    """
    if file is None:
        return MaliciousRecipe()
    return _validated(read_mapping(file), str(file))


def _validated(content: Mapping[str, object], place: str) -> MaliciousRecipe:
    try:
        return MaliciousRecipe.model_validate(content)
    except ValidationError as error:
        raise ConfigError(f"{place}: {_first_problem(error)}") from error
