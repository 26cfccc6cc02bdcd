"""The section `detectors`: one class for each kind, and what every kind can be asked.

A new kind is a class here, a member of `DetectorSource`, and the module that `loader` names.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from guard.settings.patterns import COUNTRY
from guard.settings.problems import Problem, ProblemsError
from guard.settings.remote import RemoteServers
from guard.settings.sections import AnchoredPath, DeviceName, Name, Seconds, Section


class Canary(Section):
    """A newer artifact of a detector, which acts for a share of the API keys."""

    path: AnchoredPath
    """The newer artifact's folder."""
    share: Annotated[float, Field(gt=0, le=1)]
    """The share of API keys for which it acts."""


class DetectorSection(Section):
    """What all kinds have in common; each overrides what is different with it.

    `loader` names the function that makes the detector, as `module:function`: it is imported only
    where the configuration has this kind (`guard.detectors.kinds`).
    """

    loader: ClassVar[str]

    @property
    def artifact_path(self) -> Path | None:
        """The folder of the artifact, or of its versions; None for a detector without one."""
        return None

    @property
    def newer(self) -> Canary | None:
        """The newer artifact on trial."""
        return None

    @property
    def runs_here(self) -> bool:
        """Whether a model computes in this process."""
        return False


class ArtifactDetector(DetectorSection):
    """A detector trained by `ecoguard-train`: an artifact folder, or one of its versions."""

    loader = "guard.detectors.kinds:load_artifact"

    kind: Literal["artifact"]
    """A trained detector."""
    path: AnchoredPath
    """Its folder, or that of its versions."""
    canary: Canary | None = None
    """A newer artifact on trial."""
    device: DeviceName = "cpu"
    """Where a model of its own runs, its canary's too: as `encoder.device`."""

    @property
    def artifact_path(self) -> Path | None:
        """Its folder."""
        return self.path

    @property
    def newer(self) -> Canary | None:
        """Its canary."""
        return self.canary

    @property
    def runs_here(self) -> bool:
        """Always."""
        return True


class PhraseDetector(DetectorSection):
    """An operator's list of phrases, matched at word boundaries in any case."""

    loader = "guard.detectors.names.phrases:load"

    kind: Literal["phrases"]
    """A list of phrases."""
    phrases: Annotated[tuple[str, ...], Field(min_length=1)]
    """The phrases, matched as whole words in any case."""


class VerbatimDetector(DetectorSection):
    """Quotes from texts that `ecoguard-train verbatim` has indexed, and its exact strings."""

    loader = "guard.detectors.verbatim.index:load"

    kind: Literal["verbatim"]
    """Quotes from indexed texts."""
    path: AnchoredPath
    """The folder of the artifact, or of its versions."""
    words: Annotated[int, Field(ge=10, le=10_000)] = 50
    """A quote of so many words is too long."""

    @property
    def artifact_path(self) -> Path | None:
        """Its folder."""
        return self.path


class InstructionsDetector(DetectorSection):
    """Answers that repeat what the developer wrote in their own request."""

    loader = "guard.detectors.verbatim.instructions:load"

    kind: Literal["instructions"]
    """Quotes from the request's own system prompt."""
    words: Annotated[int, Field(ge=10, le=10_000)] = 20
    """A quote of so many words is too long."""


class PersonalDataDetector(DetectorSection):
    """Personal data of a fixed form; install `ecoguard[sensitive]`."""

    loader = "guard.detectors.sensitive.personal_data:load"

    kind: Literal["personal-data"]
    """E-mail addresses, phone and card numbers, and the like."""
    entities: Annotated[tuple[str, ...], Field(min_length=1)] = (
        *("CREDIT_CARD", "EMAIL_ADDRESS", "IBAN_CODE", "PHONE_NUMBER", "US_SSN"),
    )
    """What is looked for, by Presidio's names."""
    phone_regions: tuple[Annotated[str, Field(pattern=COUNTRY)], ...] = ("US",)
    """Countries whose phone numbers are known without `+` and the country's number too. Each costs
    time, and finds more that is none: where there are many, decimal numbers look like some."""
    confidence: Annotated[float, Field(gt=0, le=1)] = 0.4
    """How sure a find must be: .4 for a phone number by its form, 1 for what has check digits."""


class CredentialsDetector(DetectorSection):
    """Keys and tokens of services, private keys; install `ecoguard[sensitive]`."""

    loader = "guard.detectors.sensitive.credentials:load"

    kind: Literal["credentials"]
    """API keys, tokens, private keys."""


class ForgetRequestsDetector(DetectorSection):
    """A folder of forget requests, one artifact folder each, looked through every `reload_s`."""

    loader = "guard.detectors.forget.request_folder:load"

    kind: Literal["forget-requests"]
    """A folder of forget requests."""
    path: AnchoredPath
    """The folder, with an artifact folder for each request."""
    reload_s: Seconds = 5
    """Seconds between two looks through it."""


Words = Annotated[tuple[str, ...], Field(min_length=1)]

REMOTE_KEYS: Mapping[str, frozenset[str]] = {
    "classify": frozenset({"classes", "unsafe", "multi_label", "input"}),
    "label-logprobs": frozenset(
        {"preset", "preset_file", "unsafe", "safe", "logprobs", "least_mass", "input"}
    ),
    "moderations": frozenset({"unsafe"}),
}
"""By `api` of a remote detector, the keys that mean something there and not everywhere."""


class RemoteDetector(RemoteServers, DetectorSection):
    """A classifier or guard model behind an HTTP server; `api` says how it is asked.

    A server that fails, answers late, or answers what cannot be read is a detector that failed:
    the policies' `on_error` decides.
    """

    loader = "guard.detectors.remote.detector:load"

    kind: Literal["remote"]
    """A classifier or a guard model behind a server."""
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
    path: AnchoredPath | None = None
    """The artifact of `ecoguard-train calibrate`: thresholds and p-values of this model, asked in
    this way; anything else behind its name is a failure."""
    window_characters: Annotated[int, Field(ge=64, le=1_000_000)] | None = None
    """The most characters of a text that are asked about at once; where it is not set, 800 of
    `classify`, 4000 otherwise."""

    @property
    def artifact_path(self) -> Path | None:
        """Its calibration's folder."""
        return self.path

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


DetectorSource = Annotated[
    ArtifactDetector
    | PhraseDetector
    | ForgetRequestsDetector
    | VerbatimDetector
    | InstructionsDetector
    | PersonalDataDetector
    | CredentialsDetector
    | RemoteDetector,
    Field(discriminator="kind"),
]
