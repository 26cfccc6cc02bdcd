"""A remote detector's servers and model: where they are, how they are asked, and how often."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from guard.settings.problems import Problem, ProblemsError
from guard.settings.sections import AnchoredPath, Name, Seconds, Section, VariableName
from guard.settings.upstream import ServerUrl, UpstreamTls, Urls


class RemoteServers(Section):
    """Servers of one model, any of which may be asked."""

    url: ServerUrl | None = None
    """The server's base URL, without `/v1`."""
    urls: Urls = ()
    """In its place: several servers of the same model."""
    api_key_env: VariableName | None = None
    """The variable that holds the servers' API key."""
    tls: UpstreamTls = UpstreamTls()
    """TLS to the servers."""
    timeout_s: Seconds = 5
    """Seconds that the questions about one request may take; then `on_error` decides."""
    concurrency: Annotated[int, Field(ge=1, le=1024)] = 16
    """Most questions with the servers at a time."""
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    """How often a question is asked again, of another server where there is one."""
    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    """After so many failures in a row a server is left alone."""
    breaker_s: Seconds = 10
    """For so many seconds."""

    @property
    def servers(self) -> tuple[str, ...]:
        """The base URLs of the servers, each once."""
        return tuple(dict.fromkeys(self.urls or (self.url or "",)))

    @model_validator(mode="after")
    def _has_servers(self) -> Self:
        if (self.url is None) == (not self.urls):
            said = "name one server here, or several under urls"
            raise ProblemsError(Problem(("url",), said))
        return self


Words = Annotated[tuple[str, ...], Field(min_length=1)]

REMOTE_KEYS: Mapping[str, frozenset[str]] = {
    "classify": frozenset({"classes", "unsafe", "multi_label", "input"}),
    "label-logprobs": frozenset(
        {"preset", "preset_file", "unsafe", "safe", "logprobs", "least_mass", "input"}
    ),
    "moderations": frozenset({"unsafe"}),
}
"""By `api` of a remote detector, the keys that mean something there and not everywhere."""


class RemoteModelKeys(RemoteServers):
    """What is asked of the servers, and how; what of the keys means something, `api` says."""

    api: Literal["classify", "label-logprobs", "moderations"]
    """How it is asked. `classify`: vLLM's `/classify` of a sequence classifier. `label-logprobs`: a
    guard model that generates its verdict; the probability of its first word is read.
    `moderations`: OpenAI's `/v1/moderations`."""
    model: str | None = None
    """The model's name there."""
    preset: Name | None = None
    """Of `label-logprobs`: a known model's words and template, such as `llama-guard-3`."""
    preset_file: AnchoredPath | None = None
    """In place of `preset`: a YAML file with a preset of your own."""
    classes: Annotated[tuple[str, ...], Field(min_length=2)] | None = None
    """Of `classify`: the names of all classes, in the model's order (`id2label`)."""
    unsafe: Words | None = None
    """What is bad: classes of `classify`, words of `label-logprobs` without a preset, or
    categories of `moderations` (without it all)."""
    safe: Words | None = None
    """Of `label-logprobs` without a preset: the words that say that nothing is."""
    multi_label: bool = False
    """Of `classify`: each class has a probability of its own, and the highest of those that are bad
    counts; otherwise they add up to 1 and the bad ones are added."""
    input: Literal["text", "conversation"] | None = None
    """What is judged: each text by itself, or as the last turn of its conversation. Where it is not
    set: what the preset says, else `text`."""
    logprobs: Literal["exact", "top"] = "exact"
    """Of `label-logprobs`: `exact` asks vLLM for the probabilities of just these words; `top` reads
    the 20 likeliest, for servers that know no more."""
    least_mass: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Of `label-logprobs`: how much probability the words must have together. With less the model
    did not want to give a verdict: the detector has failed."""
    window_characters: Annotated[int, Field(ge=64, le=1_000_000)] | None = None
    """The most characters of a text that are asked about at once; where it is not set, 800 of
    `classify`, 4000 otherwise."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if problems := [*self._wrong_about_model(), *self._wrong_about_keys()]:
            raise ProblemsError(*problems)
        return self

    def _wrong_about_model(self) -> Iterator[Problem]:
        if self.model is None and self.api != "moderations":
            yield Problem(("model",), "is missing: the name that the servers know the model by")

    def _wrong_about_keys(self) -> Iterator[Problem]:
        for key in sorted(self.model_fields_set & frozenset().union(*REMOTE_KEYS.values())):
            if key not in REMOTE_KEYS[self.api]:
                yield Problem((key,), f"has no meaning where api is {self.api}", ("api",))
        if self.api == "classify":
            yield from self._wrong_about_classes()
        if self.api == "label-logprobs":
            yield from self._wrong_about_words()

    def _wrong_about_classes(self) -> Iterator[Problem]:
        for key in ("classes", "unsafe"):
            if getattr(self, key) is None:
                yield Problem((key,), "is missing: name the model's classes, and which are bad")
        for place, name in enumerate(self.unsafe or ()):
            if self.classes is not None and name not in self.classes:
                yield Problem(("unsafe", place), f"no class '{name}'", ("classes",))

    def _wrong_about_words(self) -> Iterator[Problem]:
        given = [key for key in ("preset", "preset_file", "unsafe") if getattr(self, key)]
        if len(given) != 1:
            said = "name one of preset, preset_file, or unsafe and safe"
            yield Problem((given[1] if given else "preset",), said)
        if (self.unsafe is None) != (self.safe is None):
            absent = "unsafe" if self.unsafe is None else "safe"
            yield Problem((absent,), "is missing: name the words of both verdicts")
