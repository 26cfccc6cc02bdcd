"""Many forget requests, one after the other: what they share is encoded once, what stands is kept.

A request folder that cannot be used stops no other. One whose artifact was made from the same
files, encoder and recipe is not trained again, so that a run that was stopped goes on where it was.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from classifiers.forget.request import (
    read_forget_prompts,
    read_request,
    read_retain_prompts,
)
from classifiers.forget.training import Background, ForgetRecipe, recorded, train_forget
from classifiers.prompts.files import Prompt, read_prompts
from classifiers.runs.digests import digest_of, file_digest
from guard import __version__
from guard.artifacts.folder import Artifact, read
from guard.detectors.forget.detector import KIND
from guard.terms.detector import Encoder
from guard.terms.errors import ArtifactError, ConfigError, GuardError

ORIGIN = "origin"
State = Literal["trained", "kept", "failed"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one request folder: its artifact, or why there is none."""

    folder: Path
    state: State
    artifact: Artifact | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Trains request folders, each into its own artifact folder."""

    encoder: Encoder
    recipe: ForgetRecipe
    retain: tuple[Path, ...] = ()
    cache: Path | None = None
    progress: bool = False

    def train(
        self, jobs: Sequence[tuple[Path, Path]], told: Callable[[int], None] = lambda _: None
    ) -> list[Outcome]:
        """Outcomes of (request folder, artifact folder); `told` how many are done.

        Raises ConfigError for a file of shared retain prompts that cannot be used.
        """
        shared = [prompt for file in self.retain for prompt in read_prompts(file)]
        background: Background | None = None
        outcomes = []
        for done, (folder, out) in enumerate(jobs):
            told(done)
            origin = self._origin(folder)
            if standing := _standing(out, origin):
                outcomes.append(Outcome(folder, "kept", standing))
                continue
            if background is None and shared:
                background = self._background(shared)
            outcomes.append(self._one(folder, out, background, origin))
        told(len(jobs))
        return outcomes

    def _background(self, shared: Sequence[Prompt]) -> Background:
        return Background.of(
            shared, self.encoder, self.recipe, cache=self.cache, progress=self.progress
        )

    def _one(self, folder: Path, out: Path, background: Background | None, origin: str) -> Outcome:
        try:
            return Outcome(folder, "trained", self._train(folder, out, background, origin))
        except GuardError as error:
            return Outcome(folder, "failed", problem=str(error))

    def _train(
        self, folder: Path, out: Path, background: Background | None, origin: str
    ) -> Artifact:
        request = read_request(folder)
        forget, own = read_forget_prompts(folder), read_retain_prompts(folder)
        return train_forget(
            request.name,
            forget,
            own,
            self.encoder,
            out,
            names=request.evidence,
            nicknames=request.nicknames,
            recipe=self.recipe,
            background=background,
            cache=self.cache,
            origin=origin,
        )

    def _origin(self, folder: Path) -> str:
        """A digest of all that an artifact is made from; a missing file counts as none."""
        own = sorted(folder.glob("*.yaml")) + sorted(folder.glob("*.jsonl"))
        files = [(file.name, file_digest(file)) for file in (*own, *self.retain)]
        return digest_of([__version__, self.encoder.digest, recorded(self.recipe), files])


def _standing(out: Path, origin: str) -> Artifact | None:
    """The artifact that stands there, if it was made from the same."""
    try:
        artifact = read(out, KIND)
    except ArtifactError:
        return None
    return artifact if artifact.manifest.recipe.get(ORIGIN) == origin else None


def jobs_of(requests: Sequence[Path], out: Path) -> list[tuple[Path, Path]]:
    """Where each request's artifact goes: below `out`, in a folder of the request folder's name.

    Raises ConfigError for two folders of one name.
    """
    found: dict[str, Path] = {}
    for folder in requests:
        name = folder.resolve().name
        if name in found:
            raise ConfigError(f"{folder}: {found[name]} has the same name; artifacts would collide")
        found[name] = folder
    return [(folder, out / name) for name, folder in found.items()]
