"""The configuration: one YAML file, typed, frozen, unknown keys refused.

Secrets never stand in the file: it names the environment variables that hold them.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from guard.corruption.functions import CorruptionKind
from guard.errors import ConfigError

Seconds = Annotated[float, Field(gt=0, le=3600)]
Threshold = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
VariableName = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Section(BaseModel):
    """Base of every part of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Listen(Section):
    """Where the proxy listens."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    drain_s: Seconds = 30


class Upstream(Section):
    """The vLLM server behind the proxy."""

    url: Annotated[str, Field(pattern=r"^https?://[^/?#@]+(/[^?#]*)?$")]
    api_key_env: VariableName | None = None
    connect_s: Seconds = 5
    first_byte_s: Seconds = 600
    between_bytes_s: Seconds = 120
    connections: Annotated[int, Field(ge=1, le=100_000)] = 1000


class Model(Section):
    """A served model's folder: its tokenizer, and its weights for the token embedding table."""

    path: Path
    context_tokens: Annotated[int, Field(ge=1)] | None = None  # vLLM's --max-model-len


class EncoderSource(Section):
    """The encoder artifact that all feature detectors share."""

    path: Path
    threads: Annotated[int, Field(ge=1, le=64)] = 1


class ArtifactDetector(Section):
    """A detector trained by `ecoguard-train`."""

    kind: Literal["artifact"]
    path: Path


class PhraseDetector(Section):
    """An operator's list of phrases, matched at word boundaries in any case."""

    kind: Literal["phrases"]
    phrases: Annotated[tuple[str, ...], Field(min_length=1)]


DetectorSource = Annotated[ArtifactDetector | PhraseDetector, Field(discriminator="kind")]


class Policy(Section):
    """One rule: what to do when a detector's score reaches the threshold, or when it fails."""

    name: Name
    detector: Name
    threshold: Threshold | Literal["from_artifact"] = "from_artifact"
    action: Literal["allow", "flag", "corrupt", "block"]
    on_error: Literal["allow", "flag", "block"] = "block"
    refusal: Literal["error", "message"] | None = None


class CorruptionChoice(Section):
    """How the token embeddings of flagged texts are corrupted (ECO, section 3)."""

    kind: CorruptionKind = "rand_noise_first_n"
    dims: Annotated[int, Field(ge=1)] = 1
    strength: Annotated[float, Field(ge=0)] = 50
    key_env: VariableName = "ECOGUARD_CORRUPTION_KEY"


class Refusal(Section):
    """How a blocked request is answered.

    `error` is status 400 with code `content_filter`; `message` is a normal answer that says
    `text` and ends with `finish_reason: content_filter`, for chat interfaces that break on a 400.
    """

    form: Literal["error", "message"] = "error"
    text: str = "I can't help with that."


class Fields(Section):
    """The operator's say over the closed field tables (docs/fields.md)."""

    unknown: Literal["refuse", "ignore"] = "refuse"
    allow: tuple[str, ...] = ()
    media: Literal["refuse", "allow_unscreened"] = "refuse"


class Limits(Section):
    """Bounds on one request, and on all of them together."""

    body_bytes: Annotated[int, Field(ge=1024, le=1 << 30)] = 4 << 20
    body_depth: Annotated[int, Field(ge=4, le=200)] = 64
    body_values: Annotated[int, Field(ge=100)] = 200_000
    body_s: Seconds = 30
    screening_s: Seconds = 10
    screening_threads: Annotated[int, Field(ge=1, le=64)] = 1
    screening_queue: Annotated[int, Field(ge=1)] = 256
    concurrent_requests: Annotated[int, Field(ge=1)] = 1024


class Key(Section):
    """An API key, stored as the hex SHA-256 of its text."""

    name: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    scopes: frozenset[Literal["inference", "check"]] = frozenset({"inference"})


class Check(Section):
    """The endpoint that screens without calling the model; off unless enabled."""

    enabled: bool = False


class Cors(Section):
    """Origins whose pages may call the proxy from a browser; none by default."""

    allow_origins: tuple[str, ...] = ()


class Settings(Section):
    """Everything the proxy needs to know."""

    listen: Listen = Listen()
    upstream: Upstream
    models: dict[str, Model] = Field(default_factory=dict)
    encoder: EncoderSource | None = None
    detectors: dict[Name, DetectorSource] = Field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    corruption: CorruptionChoice = CorruptionChoice()
    refusal: Refusal = Refusal()
    fields: Fields = Fields()
    limits: Limits = Limits()
    keys: tuple[Key, ...] = ()
    check: Check = Check()
    cors: Cors = Cors()

    @property
    def may_corrupt(self) -> bool:
        """Whether some policy corrupts prompts."""
        return any(policy.action == "corrupt" for policy in self.policies)

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        for policy in self.policies:
            if policy.detector not in self.detectors:
                raise ValueError(
                    f"policies.{policy.name}.detector: no detector '{policy.detector}'"
                )
        names = [policy.name for policy in self.policies]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"policies: the name '{doubled.pop()}' is used twice")
        if self.may_corrupt and not self.models:
            raise ValueError("models: a policy that corrupts needs the model's folder")
        kinds = {source.kind for source in self.detectors.values()}
        if "artifact" in kinds and self.encoder is None:
            raise ValueError("encoder: trained detectors need an encoder")
        return self

    @model_validator(mode="after")
    def _exposure_is_guarded(self) -> Self:
        if self.listen.host not in LOOPBACK and not self.keys:
            raise ValueError(
                "keys: without API keys the proxy listens on loopback only; "
                f"listen.host is '{self.listen.host}'"
            )
        if self.check.enabled and not any("check" in key.scopes for key in self.keys):
            raise ValueError("keys: check.enabled needs a key with the scope 'check'")
        return self


def load(file: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the YAML file; relative paths in it are relative to the file.

    `ECOGUARD_LISTEN_HOST`, `ECOGUARD_LISTEN_PORT` and `ECOGUARD_UPSTREAM_URL` override the file.
    Raises ConfigError naming the file and the key.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"{file}: {_one_line(error)}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{file}: the top level must be a mapping")
    _override(content, os.environ if environment is None else environment)
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_explain(file, error)) from error
    return _anchored(settings, file.resolve().parent)


def secret(variable: str, environment: Mapping[str, str] | None = None) -> str:
    """The value of a secret's environment variable; ConfigError naming it when unset."""
    value = (os.environ if environment is None else environment).get(variable)
    if not value:
        raise ConfigError(f"the environment variable {variable} is not set")
    return value


def _override(content: dict[str, object], environment: Mapping[str, str]) -> None:
    for variable, section, key in (
        ("ECOGUARD_LISTEN_HOST", "listen", "host"),
        ("ECOGUARD_LISTEN_PORT", "listen", "port"),
        ("ECOGUARD_UPSTREAM_URL", "upstream", "url"),
    ):
        if variable in environment:
            part = content.setdefault(section, {})
            if isinstance(part, dict):
                part[key] = environment[variable]


def _explain(file: Path, error: ValidationError) -> str:
    """Every problem on a line of its own: file, key, what is wrong; never the value."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False):
        key = ".".join(str(step) for step in problem["loc"])
        lines.append(f"{file}: {key + ': ' if key else ''}{problem['msg']}")
    return "\n".join(line.replace("Value error, ", "") for line in lines)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _anchored(settings: Settings, folder: Path) -> Settings:
    """The settings with relative paths made absolute against the file's folder."""

    def anchor(source: Section) -> Section:
        path = getattr(source, "path", None)
        return source.model_copy(update={"path": folder / path}) if path else source

    return settings.model_copy(
        update={
            "models": {name: anchor(model) for name, model in settings.models.items()},
            "encoder": anchor(settings.encoder) if settings.encoder else None,
            "detectors": {name: anchor(source) for name, source in settings.detectors.items()},
        }
    )
