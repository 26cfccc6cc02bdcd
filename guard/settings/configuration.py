"""The whole configuration, and what must hold between its sections."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from guard.settings.detectors import Canary, DetectorSource
from guard.settings.keys import Key
from guard.settings.observability import Logs, Tracing
from guard.settings.policies import Policy
from guard.settings.redis import Redis
from guard.settings.sections import (
    Check,
    CorruptionChoice,
    Cors,
    EncoderSource,
    Fields,
    Limits,
    Listen,
    Name,
    Refusal,
    Section,
)
from guard.settings.store import Store
from guard.settings.upstream import Model, Upstream

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(Section):
    """Everything the proxy needs to know."""

    listen: Listen = Listen()
    """Where the proxy listens."""
    upstream: Upstream
    """The vLLM servers."""
    models: dict[str, Model] = Field(default_factory=dict)
    """The served models by name; with it, other models are 404."""
    encoder: EncoderSource | None = None
    """The encoder artifact that detectors of features share; those with a model of their own need
    none."""
    detectors: dict[Name, DetectorSource] = Field(default_factory=dict)
    """What gives scores, by name."""
    policies: tuple[Policy, ...] = ()
    """What is done about scores: rules, in order."""
    corruption: CorruptionChoice = CorruptionChoice()
    """What is done to flagged texts instead of refusing them."""
    refusal: Refusal = Refusal()
    """How a blocked request is answered."""
    fields: Fields = Fields()
    """The operator's say over the closed field tables."""
    limits: Limits = Limits()
    """Bounds on one request, one key and all of them together."""
    keys: tuple[Key, ...] = ()
    """API keys."""
    keys_file: Path | None = None
    """A YAML file with more keys, a list like `keys`: a mounted secret. `ECOGUARD_KEYS_FILE`
    overrides it."""
    redis: Redis | None = None
    """Where replicas share the limits of keys; install `ecoguard[redis]`."""
    check: Check = Check()
    """The endpoint that screens without calling the model."""
    cors: Cors = Cors()
    """Origins whose pages may call the proxy from a browser."""
    store: Store | None = None
    """Audit rows and captured prompts; install `ecoguard[store]`."""
    logs: Logs = Logs()
    """The log on standard error."""
    tracing: Tracing | None = None
    """OpenTelemetry traces; install `ecoguard[trace]`."""

    @property
    def may_corrupt(self) -> bool:
        """Whether some policy corrupts prompts; one in shadow does not."""
        return any(policy.action == "corrupt" and not policy.shadow for policy in self.policies)

    @property
    def sends_early(self) -> bool:
        """Whether prompts are sent while they are screened: unless the configuration says
        otherwise, or wants nothing but embeddings to arrive."""
        chosen = self.upstream.send_early
        return not self.corruption.embed_all if chosen is None else chosen

    @property
    def canaries(self) -> dict[str, Canary]:
        """By detector, the newer artifacts that act for a share of the keys."""
        found = {name: detector.newer for name, detector in self.detectors.items()}
        return {name: canary for name, canary in found.items() if canary}

    @model_validator(mode="after")
    def _references_hold(self) -> Self:
        for policy in self.policies:
            self._check(policy)
        names = [policy.name for policy in self.policies]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"policies: the name '{doubled.pop()}' is used twice")
        if self.may_corrupt and not self.models:
            raise ValueError("models: a policy that corrupts needs the model's folder")
        if self.corruption.embed_all and self.upstream.send_early:
            raise ValueError("corruption.embed_all: upstream.send_early sends prompts as text")
        if self.canaries and not self.keys:
            name = min(self.canaries)
            raise ValueError(f"detectors.{name}.canary: there are no keys to have a share of")
        names = [key.name for key in self.keys]
        if doubled := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"keys: the name '{doubled.pop()}' is used twice")
        if unknown := self._excluded_keys - {key.name for key in self.keys}:
            raise ValueError(f"store.capture.exclude_keys: no key '{min(unknown)}'")
        return self

    def _check(self, policy: Policy) -> None:
        """What a policy names must exist: a mistyped name would be a rule that never applies."""
        here = f"policies.{policy.name}"
        if policy.side == "answer":
            raise ValueError(f"{here}.side: answers are not screened yet, prompts only")
        if policy.detector not in self.detectors:
            raise ValueError(f"{here}.detector: no detector '{policy.detector}'")
        if unknown := set(policy.when.keys or ()) - {key.name for key in self.keys}:
            raise ValueError(f"{here}.when.keys: no key '{min(unknown)}'")
        if unknown := set(policy.when.models or ()) - self.models.keys():
            raise ValueError(f"{here}.when.models: no model '{min(unknown)}'")
        if policy.action == "corrupt" and not policy.shadow:
            for name in policy.when.models or self.models:
                if self.models[name].path is None:
                    raise ValueError(f"models.{name}.path: {policy.name} corrupts and needs it")

    @property
    def _excluded_keys(self) -> frozenset[str]:
        return frozenset(self.store.capture.exclude_keys if self.store else ())

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
