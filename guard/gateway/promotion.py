"""Putting another version of a detector's artifact in service, and back."""

from dataclasses import dataclass
from pathlib import Path

from guard.artifacts.folder import read
from guard.artifacts.versions import (
    POINTER,
    Pointer,
    is_shelf,
    promoted,
    read_pointer,
    rolled_back,
    write_pointer,
)
from guard.settings import Settings
from guard.terms.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Change:
    """What a shelf's pointer said before (None: nothing), and says now."""

    folder: Path
    before: Pointer | None
    now: Pointer

    def undo(self) -> None:
        """Put back what was before."""
        if self.before is None:
            (self.folder / POINTER).unlink(missing_ok=True)
        else:
            write_pointer(self.folder, self.before)


def shelf_of(settings: Settings, name: str) -> Path:
    """The folder of a detector's versions; ConfigError where it has none."""
    detector = settings.detectors.get(name)
    folder = detector.artifact_path if detector else None
    if folder is None:
        raise ConfigError(f"detectors.{name}: no such detector with an artifact")
    return folder


def promote(settings: Settings, name: str, version: str | None = None) -> Change:
    """Put a version of a detector in service: of the next load, a running proxy takes a reload.

    Without `version` it is the canary's. The artifact is verified first. Raises ConfigError or
    ArtifactError, and changes nothing.
    """
    folder = shelf_of(settings, name)
    now = promoted(folder, version or _canary_version(settings, name))
    read(folder / now.current)
    return _write(folder, now)


def roll_back(settings: Settings, name: str) -> Change:
    """Put the previous version of a detector back; once more, and the newer one is back."""
    folder = shelf_of(settings, name)
    if not is_shelf(folder):
        raise ConfigError(f"detectors.{name}.path: {folder} holds one artifact, no versions")
    now = rolled_back(folder)
    read(folder / now.current)
    return _write(folder, now)


def _write(folder: Path, now: Pointer) -> Change:
    before = read_pointer(folder) if is_shelf(folder) else None
    if now != before:
        write_pointer(folder, now)
    return Change(folder, before, now)


def _canary_version(settings: Settings, name: str) -> str:
    canary = settings.canaries.get(name)
    folder = shelf_of(settings, name)
    if canary is None or canary.path.resolve().parent != folder.resolve():
        raise ConfigError(f"detectors.{name}.canary: no version of {folder}: say which to promote")
    return canary.path.resolve().name
