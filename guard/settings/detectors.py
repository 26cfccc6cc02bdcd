"""The section `detectors`: one class for each kind, and what every kind can be asked.

A new kind is a class here, a member of `DetectorSource`, and the module that `loader` names.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from guard.settings.sections import AnchoredPath, DeviceName, Seconds, Section


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


class ForgetRequestsDetector(DetectorSection):
    """A folder of forget requests, one artifact folder each, looked through every `reload_s`."""

    loader = "guard.detectors.forget.request_folder:load"

    kind: Literal["forget-requests"]
    """A folder of forget requests."""
    path: AnchoredPath
    """The folder, with an artifact folder for each request."""
    reload_s: Seconds = 5
    """Seconds between two looks through it."""


DetectorSource = Annotated[
    ArtifactDetector
    | PhraseDetector
    | ForgetRequestsDetector
    | VerbatimDetector
    | InstructionsDetector,
    Field(discriminator="kind"),
]
