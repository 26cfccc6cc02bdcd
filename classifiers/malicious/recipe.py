"""The recipe of `ecoguard-train malicious`: a YAML file, overridden by the command line.

What decides the result lands in the artifact's manifest (`recorded`); where inputs lie does not.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, TypeVar

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
from classifiers.malicious.modes.mode import Mode
from classifiers.malicious.modes.table import DEFAULT, MODES
from guard.settings import secret
from guard.settings.document import Document
from guard.settings.problems import dotted, explain, problems_of
from guard.terms.errors import ConfigError

D = TypeVar("D")
S = TypeVar("S")

# Where things lie on this machine, as opposed to how they are learned from.
PLACES = (
    *("unlabelled", "trusted_benign", "malicious_seeds", "validation", "labelled"),
    *("encoder", "encoder_url", "encoder_key_env", "base", "cache", "in_service"),
    *("ray_address", "secret_env", "store_key_env", "store_password_env"),
)


def _known_mode(name: str) -> str:
    if name not in MODES:
        raise ValueError(f"no mode {name!r} (known: {', '.join(MODES)})")
    return name


def _settings(given: dict[str, dict[str, JsonValue]]) -> dict[str, dict[str, JsonValue]]:
    for name, values in given.items():
        mode = MODES[_known_mode(name)]
        try:
            as_dataclass(mode.settings, values)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    return given


def as_dataclass(kind: type[D], given: Mapping[str, JsonValue]) -> D:
    """A dataclass from values by field; ValueError names an unknown or wrong key."""
    known = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ValueError(f"unknown key {unknown[0]} (known: {', '.join(known) or 'none'})")
    try:
        return TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        raise ValueError(_told(error, kind)) from error


def _told(error: ValidationError, kind: object) -> str:
    found = problems_of(error, kind)
    return "; ".join(f"{dotted(problem.path)}: {problem.message}" for problem in found)


def _odd(number: int) -> int:
    if number % 2 == 0:
        raise ValueError("must be odd, so that the shards' members cannot tie")
    return number


Sources = tuple[Annotated[str, Field(min_length=1)], ...]


class MaliciousRecipe(BaseModel):
    """How a malicious-prompt detector is trained, and from what.

    Prompts: `unlabelled` is traffic; `trusted_benign` and `malicious_seeds` were looked at by
    people; `validation` has labels, and one half chooses while the other measures; `labelled` has
    labels and is learned from. `generated` adds attacks and harmless counterparts that our own code
    writes. `store_key_env` and `store_password_env` are the environment variables with the keys
    that a traffic store's prompts are encrypted with, and its database's password.

    Learning: `mode` is fitted, and with `compare` the others that read the same features beside it;
    `modes` holds, by a mode's name, what may be set of it. `encoder` is the artifact whose features
    are read, on Ray's workers where there is a `ray_address`; a pooling one asks the server at
    `encoder_url`. `base` is the encoder that mode may train further instead: a folder or a Hugging
    Face name.

    Traffic is written by others: `quota` is the most prompts of one client, as a share of all
    unlabelled ones (20 are always kept), `shards` the number of members that vote, each of clients
    of its own. The environment variable `secret_env` holds a secret that decides, with the seed,
    which of a client's prompts count and which shard it falls into.

    Judging: `fpr` is the false-positive rate allowed with `confidence`. `in_service` is the
    artifact that the gate compares with, `scan_evaluations` bounds the texts that its trigger scan
    scores. `attribution` says by source who wrote it and under what licence, for the model card.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=200)] = "malicious"
    mode: Annotated[str, AfterValidator(_known_mode)] = DEFAULT
    modes: Annotated[dict[str, dict[str, JsonValue]], AfterValidator(_settings)] = {}
    compare: bool = False
    unlabelled: Sources = ()
    trusted_benign: Sources = ()
    malicious_seeds: Sources = ()
    validation: Sources = ()
    labelled: Sources = ()
    generated: bool = True
    store_key_env: str | None = None
    store_password_env: str | None = None
    encoder: Path | None = None
    encoder_url: str | None = None
    encoder_key_env: str | None = None
    ray_address: str | None = None
    base: str | None = None
    cache: Path | None = None
    in_service: Path | None = None
    fpr: Annotated[float, Field(ge=0.00001, le=0.5)] = 0.01
    confidence: Annotated[float, Field(ge=0.5, le=0.9999)] = 0.95
    seed: Annotated[int, Field(ge=0)] = 0
    shards: Annotated[int, Field(ge=1, le=63), AfterValidator(_odd)] = 1
    quota: Annotated[float, Field(gt=0, le=1)] = SHARE
    secret_env: str | None = None
    scan_evaluations: Annotated[int, Field(ge=100)] = 33_000
    attribution: dict[str, str] = {}

    @property
    def drawing_key(self) -> bytes:
        """What quotas and shards are drawn by. Without a secret a client could foresee them;
        ConfigError where its variable is not set."""
        drawn = hashlib.sha256(f"malicious training {self.seed}".encode()).digest()
        if self.secret_env is None:
            return drawn
        return hmac.new(secret(self.secret_env).encode(), drawn, hashlib.sha256).digest()

    def settings_of(self, mode: Mode[S]) -> S:
        """What the recipe sets of a mode; the rest has its defaults."""
        return as_dataclass(mode.settings, self.modes.get(mode.name, {}))

    def given(self) -> set[str]:
        """The keys that are set to anything: what a mode may need is among them."""
        return {name for name in type(self).model_fields if getattr(self, name)}

    def recorded(self) -> dict[str, JsonValue]:
        """What the manifest keeps: every decision, no place."""
        return self.model_dump(mode="json", exclude={*PLACES, "attribution", "name"})

    def updated(self, given: Mapping[str, object]) -> "MaliciousRecipe":
        """This recipe with values of the command line; None and () mean "not given"."""
        chosen = {key: value for key, value in given.items() if value not in (None, ())}
        try:
            return MaliciousRecipe.model_validate(self.model_dump() | chosen)
        except ValidationError as error:
            raise ConfigError(f"command line: {_told(error, MaliciousRecipe)}") from error


def read_recipe(file: Path | None) -> MaliciousRecipe:
    """The recipe in a YAML file, all defaults without one; ConfigError names file, line and key.

    Relative places are relative to the working directory, as on the command line.
    """
    if file is None:
        return MaliciousRecipe()
    document = Document.read(file)
    try:
        return MaliciousRecipe.model_validate(document.mapping())
    except ValidationError as error:
        raise ConfigError(explain(error, MaliciousRecipe, document)) from error
