"""The section `detectors`: one class for each kind, and what every kind can be asked.

A new kind is a class here, a member of `DetectorSource`, and the module that `loader` names.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from guard.settings.patterns import COUNTRY
from guard.settings.remote import RemoteModelKeys
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


class RemoteDetector(RemoteModelKeys, DetectorSection):
    """A classifier or guard model behind an HTTP server; `api` says how it is asked.

    A server that fails, answers late, or answers what cannot be read is a detector that failed:
    the policies' `on_error` decides.
    """

    loader = "guard.detectors.remote.detector:load"

    kind: Literal["remote"]
    """A classifier or a guard model behind a server."""
    path: AnchoredPath | None = None
    """The artifact of `ecoguard-train calibrate`: thresholds and p-values of this model, asked in
    this way; anything else behind its name is a failure."""

    @property
    def artifact_path(self) -> Path | None:
        """Its calibration's folder."""
        return self.path


class JointDetector(DetectorSection):
    """Several detectors as one, by their p-values among harmless prompts.

    All of them have a calibration, and all run here, or all behind servers. The p-values are
    joined so that harmless prompts reach `fpr` at most as often, however the members depend on
    each other.
    """

    loader = "guard.detectors.joint:load"

    kind: Literal["any-of", "all-of", "mean"]
    """Several detectors as one: `any-of` fires where one is very sure (the lowest p-value, times
    their number), `all-of` where all are (the highest), `mean` where they are together (twice the
    mean)."""
    of: Annotated[tuple[Name, ...], Field(min_length=2, max_length=8)]
    """The detectors' names."""
    fpr: Annotated[float, Field(gt=0, le=0.5)] = 0.01
    """The share of harmless prompts that may fire."""


DetectorSource = Annotated[
    ArtifactDetector
    | PhraseDetector
    | ForgetRequestsDetector
    | VerbatimDetector
    | InstructionsDetector
    | PersonalDataDetector
    | CredentialsDetector
    | RemoteDetector
    | JointDetector,
    Field(discriminator="kind"),
]
