"""Putting another version of a detector's artifact in service, and back."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson

from guard.artifacts.folder import Artifact, read
from guard.artifacts.manifest import REPORT
from guard.artifacts.versions import (
    POINTER,
    Pointer,
    is_versioned,
    promoted,
    read_pointer,
    rolled_back,
    write_pointer,
)
from guard.settings import Settings
from guard.terms.errors import ConfigError

logger = logging.getLogger(__name__)

RECORD = "promotions.jsonl"
"""Beside the versions: a line for each promotion, with what spoke for it."""


@dataclass(frozen=True, slots=True)
class Approval:
    """What speaks for a promotion: the report of `ecoguard-train gate`, or the reason why there is
    none. A detector whose training ended with a gate brings its own."""

    report: Mapping[str, object] | None = None
    reason: str = ""

    @classmethod
    def read(cls, file: Path | None, reason: str | None) -> "Approval":
        """Of a report's file and a reason, either of which may be missing."""
        if file is None:
            return cls(None, reason or "")
        try:
            return cls(parse_report(file.read_bytes()), reason or "")
        except OSError as error:
            raise ConfigError(f"{file}: {error.strerror}") from error

    def spoken_for(self, artifact: Artifact) -> str:
        """What goes on record; ConfigError where nothing speaks for the artifact."""
        if self.reason.strip():
            return f"without a gate: {self.reason.strip()}"
        own = parse_report(artifact.contents[REPORT]).get("gate")
        if self.report is None:
            if isinstance(own, dict) and own.get("passed") is True:
                return "the gate of its training"
            raise ConfigError(
                "promoting takes the report of `ecoguard-train gate`, --gate-report FILE, or a "
                "reason to do without, --without-gate REASON"
            )
        if self.report.get("passed") is not True:
            raise ConfigError("the gate refused this version")
        if self.report.get("candidate") != artifact.manifest.digest:
            raise ConfigError("the gate's report is of another artifact")
        return "the gate's report"


def parse_report(content: bytes) -> Mapping[str, object]:
    """A report in JSON; ConfigError where it is none."""
    try:
        report = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ConfigError("the gate's report is no JSON") from error
    if not isinstance(report, dict):
        raise ConfigError("the gate's report is no JSON object")
    return report


@dataclass(frozen=True, slots=True)
class Change:
    """What the pointer said before (None: nothing), and says now."""

    folder: Path
    before: Pointer | None
    now: Pointer

    def undo(self) -> None:
        """Put back what was before."""
        if self.before is None:
            (self.folder / POINTER).unlink(missing_ok=True)
        else:
            write_pointer(self.folder, self.before)


def artifact_folder(settings: Settings, name: str) -> Path:
    """The folder of a detector's versions; ConfigError where it has none."""
    detector = settings.detectors.get(name)
    folder = detector.artifact_path if detector else None
    if folder is None:
        raise ConfigError(f"detectors.{name}: no such detector with an artifact")
    return folder


def promote(
    settings: Settings, name: str, version: str | None = None, approval: Approval | None = None
) -> Change:
    """Put a version of a detector in service: of the next load, a running proxy takes a reload.

    Without `version` it is the canary's. The artifact is verified first, and `approval` must speak
    for it; what does goes on record. Raises ConfigError or ArtifactError, and changes nothing.
    """
    folder = artifact_folder(settings, name)
    now = promoted(folder, version or _canary_version(settings, name))
    artifact = read(folder / now.current)
    spoken = (approval or Approval()).spoken_for(artifact)
    change = _write(folder, now)
    if now != change.before:
        _record(folder, now.current, artifact.manifest.digest, spoken)
        logger.info("detector %s: %s promoted, %s", name, now.current, spoken)
    return change


def _record(folder: Path, version: str, digest: str, spoken: str) -> None:
    time = datetime.now(UTC).isoformat(timespec="seconds")
    line = {"time": time, "version": version, "digest": digest, "approval": spoken}
    with (folder / RECORD).open("ab") as file:
        file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))


def roll_back(settings: Settings, name: str) -> Change:
    """Put the previous version of a detector back; once more, and the newer one is back."""
    folder = artifact_folder(settings, name)
    if not is_versioned(folder):
        raise ConfigError(f"detectors.{name}.path: {folder} holds one artifact, no versions")
    now = rolled_back(folder)
    read(folder / now.current)
    return _write(folder, now)


def _write(folder: Path, now: Pointer) -> Change:
    before = read_pointer(folder) if is_versioned(folder) else None
    if now != before:
        write_pointer(folder, now)
    return Change(folder, before, now)


def _canary_version(settings: Settings, name: str) -> str:
    canary = settings.canaries.get(name)
    folder = artifact_folder(settings, name)
    if canary is None or canary.path.resolve().parent != folder.resolve():
        raise ConfigError(f"detectors.{name}.canary: no version of {folder}: say which to promote")
    return canary.path.resolve().name
