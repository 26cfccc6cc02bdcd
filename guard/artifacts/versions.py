"""A versioned folder: the versions of one artifact, and a file that says which is in service.

```
malicious/
  current.json            {"current": "2026-11-24", "previous": "2026-11-01"}
  2026-11-01/             artifact folders
  2026-11-24/
```

The pointer is replaced as a whole: whoever reads finds the old version or the new one. Two
commands at once are not kept apart: the later one wins.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import orjson

from guard.artifacts.manifest import MANIFEST
from guard.artifacts.replacement import replace_file
from guard.terms.errors import ArtifactError

POINTER = "current.json"
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")


@dataclass(frozen=True, slots=True)
class Pointer:
    """The version in service, and the one that was before it."""

    current: str
    previous: str | None = None


def served_folder(folder: Path) -> Path:
    """The artifact folder that `folder` stands for: itself, or its current version.

    Raises ArtifactError where the pointer cannot be read.
    """
    return folder / read_pointer(folder).current if is_versioned(folder) else folder


def is_versioned(folder: Path) -> bool:
    """Whether the folder holds versions rather than one artifact."""
    return (folder / POINTER).is_file() and not (folder / MANIFEST).exists()


def versions(folder: Path) -> tuple[str, ...]:
    """The names of the versions in a folder, in alphabetical order."""
    found = [path.parent.name for path in folder.glob(f"*/{MANIFEST}")]
    return tuple(sorted(name for name in found if VERSION.fullmatch(name)))


def read_pointer(folder: Path) -> Pointer:
    """Which version a versioned folder has in service; ArtifactError where it cannot be read."""
    try:
        content = orjson.loads((folder / POINTER).read_bytes())
        pointer = Pointer(content["current"], content.get("previous"))
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(f"artifact {folder}: {POINTER}: cannot be read") from error
    for name in (pointer.current, pointer.previous or pointer.current):
        if not isinstance(name, str) or not VERSION.fullmatch(name):
            raise ArtifactError(f"artifact {folder}: {POINTER}: names no version")
    return pointer


def write_pointer(folder: Path, pointer: Pointer) -> None:
    """Put a version in service, at once and durably."""
    content = {"current": pointer.current, "previous": pointer.previous}
    replace_file(folder / POINTER, orjson.dumps(content) + b"\n", 0o644)


def promoted(folder: Path, version: str) -> Pointer:
    """The pointer that puts `version` in service; ArtifactError where there is none."""
    if version not in versions(folder):
        raise ArtifactError(f"artifact {folder}: no version '{version}'")
    if not (folder / POINTER).exists():
        return Pointer(version)
    old = read_pointer(folder)
    return old if version == old.current else Pointer(version, old.current)


def rolled_back(folder: Path) -> Pointer:
    """The pointer that puts the previous version back; done twice, it changes nothing."""
    old = read_pointer(folder)
    if old.previous is None:
        raise ArtifactError(f"artifact {folder}: {POINTER}: there is no previous version")
    return promoted(folder, old.previous)
