"""The whole configuration, and what must hold between its sections."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Self

from pydantic import Field, model_validator

from guard.settings.answers import Answers
from guard.settings.detectors import Canary, DetectorSource, JointDetector
from guard.settings.keys import Key
from guard.settings.observability import Logs, Tracing
from guard.settings.policies import Policy
from guard.settings.problems import KeyPath, Problem, ProblemsError, suggestion
from guard.settings.recognition import Recognition, Trust
from guard.settings.redis import Redis
from guard.settings.sections import (
    AnchoredPath,
    Check,
    CorruptionChoice,
    Cors,
    EncoderSource,
    Fields,
    Images,
    Limits,
    Listen,
    Name,
    Refusal,
    Section,
)
from guard.settings.store import Store
from guard.settings.upstream import Model, Upstream

CORRUPTING = frozenset({"corrupt", "replace"})
"""Actions that corrupt a prompt: at once, or to replace its answer."""
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
    answers: Answers = Answers()
    """How answers are held back that policies with `side: answer` judge."""
    refusal: Refusal = Refusal()
    """How a blocked request is answered."""
    fields: Fields = Fields()
    """The operator's say over the closed field tables."""
    images: Images = Images()
    """Pictures in requests; install `ecoguard[images]`."""
    limits: Limits = Limits()
    """Bounds on one request, one key and all of them together."""
    keys: tuple[Key, ...] = ()
    """API keys."""
    keys_file: AnchoredPath | None = None
    """A YAML file with more keys, a list like `keys`: a mounted secret. `ECOGUARD_KEYS_FILE`
    overrides it."""
    trust: Trust = Trust()
    """Whose words the texts of all requests are, where their key does not say."""
    recognition: Recognition = Recognition()
    """Texts that are known: answers of the guard's own."""
    redis: Redis | None = None
    """Where replicas share limits, answers that they let out, and scores; install
    `ecoguard[redis]`."""
    check: Check = Check()
    """The endpoints that screen without calling the model."""
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
        return any(p.action in CORRUPTING and not p.shadow for p in self.policies)

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
    def _parts_fit(self) -> Self:
        problems = [
            *_repeated_names("policies", [policy.name for policy in self.policies]),
            *_repeated_names("keys", [key.name for key in self.keys]),
            *(found for place, _ in enumerate(self.policies) for found in self._wrong_in(place)),
            *self._wrong_in_joints(),
            *self._wrong_in_corruption(),
            *self._wrong_about_keys(),
        ]
        if problems:
            raise ProblemsError(*problems)
        return self

    def _wrong_in(self, place: int) -> Iterator[Problem]:
        """What a policy names must exist: a mistyped name would be a rule that never applies."""
        policy, here = self.policies[place], ("policies", place)
        yield from _wrong_about_side(policy, here)
        yield from self._wrong_in_ask_if(policy, (*here, "ask_if", "policy"))
        known_keys = [key.name for key in self.keys]
        yield from _unknown("detector", (*here, "detector"), policy.detector, self.detectors)
        for index, name in enumerate(policy.when.keys or ()):
            yield from _unknown("key", (*here, "when", "keys", index), name, known_keys)
        for index, name in enumerate(policy.when.models or ()):
            yield from _unknown("model", (*here, "when", "models", index), name, self.models)

    def _wrong_in_ask_if(self, policy: Policy, here: KeyPath) -> Iterator[Problem]:
        if policy.ask_if is None:
            return
        others = {each.name: each for each in self.policies}
        yield from _unknown("policy", here, policy.ask_if.policy, others)
        first = others.get(policy.ask_if.policy, policy)
        if first.ask_if is not None:
            yield Problem(here, "must judge without waiting for another")
        elif (first.side, first.shadow) != (policy.side, policy.shadow):
            yield Problem(here, "must have the same side, and both or none be in shadow")

    def _wrong_in_joints(self) -> Iterator[Problem]:
        for name, source in self.detectors.items():
            if isinstance(source, JointDetector):
                for place, member in enumerate(source.of):
                    here = ("detectors", name, "of", place)
                    yield from _unknown("detector", here, member, self.detectors)
                    if isinstance(self.detectors.get(member), JointDetector):
                        yield Problem(here, f"'{member}' joins others itself")
                    if member in source.of[:place]:
                        yield Problem(here, f"'{member}' is named twice")

    def _wrong_in_corruption(self) -> Iterator[Problem]:
        acting = [p for p in self.policies if p.action in CORRUPTING and not p.shadow]
        if acting and not self.models:
            yield Problem(("models",), f"is missing: {acting[0].name} corrupts: name its folder")
        for policy in acting:
            for name in self.models if policy.when.models is None else policy.when.models:
                if name in self.models and self.models[name].path is None:
                    said = f"is missing: {policy.name} corrupts and needs the model's folder"
                    yield Problem(("models", name, "path"), said)
        if self.corruption.embed_all and self.upstream.send_early:
            other = ("upstream", "send_early")
            said = "upstream.send_early sends prompts as text"
            yield Problem(("corruption", "embed_all"), said, other)

    def _wrong_about_keys(self) -> Iterator[Problem]:
        if not self.keys:
            for name in self.canaries:
                said = "there are no keys to have a share of"
                yield Problem(("detectors", name, "canary"), said)
        for index, name in enumerate(self.store.capture.exclude_keys if self.store else ()):
            here = ("store", "capture", "exclude_keys", index)
            yield from _unknown("key", here, name, [key.name for key in self.keys])
        if self.listen.host not in LOOPBACK and not self.keys:
            said = f"without API keys the proxy listens on loopback only, not on {self.listen.host}"
            yield Problem(("keys",), said, ("listen", "host"))
        if self.check.enabled and not any("check" in key.scopes for key in self.keys):
            said = "check.enabled needs a key with the scope 'check'"
            yield Problem(("keys",), said, ("check", "enabled"))


def _wrong_about_side(policy: Policy, here: KeyPath) -> Iterator[Problem]:
    """What one side's rules can ask for, the other's cannot."""
    if policy.side == "prompt" and policy.mode is not None:
        yield Problem((*here, "mode"), "is for answers: say side: answer", (*here, "side"))
    if policy.pictures is not None and (policy.side, policy.action) != ("prompt", "block"):
        yield Problem((*here, "pictures"), "is for prompts that are blocked", (*here, "action"))
    if policy.side == "prompt":
        if policy.action in ("redact", "replace"):
            yield Problem((*here, "action"), "is for answers: say side: answer", (*here, "side"))
        return
    if policy.action == "replace" and policy.mode not in (None, "whole"):
        said = "an answer is replaced as a whole"
        yield Problem((*here, "mode"), said, (*here, "action"))
    if policy.action == "corrupt":
        yield Problem((*here, "action"), "prompts are corrupted, answers are not", (*here, "side"))
    if policy.authors is not None and "assistant" not in policy.authors:
        yield Problem((*here, "authors"), "the assistant writes answers", (*here, "side"))


def _unknown(what: str, path: KeyPath, name: str, known: Iterable[str]) -> Iterator[Problem]:
    if name not in known:
        yield Problem(path, f"no {what} '{name}'{suggestion(name, known)}")


def _repeated_names(section: str, names: Sequence[str]) -> Iterator[Problem]:
    for place, name in enumerate(names):
        if (first := names.index(name)) < place:
            said = f"the name '{name}' is used twice"
            yield Problem((section, place, "name"), said, (section, first, "name"))
