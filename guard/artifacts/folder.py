"""Artifact folders: what training hands to serving, hashed, written whole and never executable.

    folder/
      manifest.json          written last; lists every other file with its size and SHA-256
      weights.safetensors    the tensors, if any
      report.json            how the artifact was made and measured
      report.html            the same as a page with plots, if the kind has one
      README.md              model card, generated from the two
      ...                    further data files of the kind

Reading loads each listed file once, bounded, and checks it; users get those very bytes
(`Artifact.contents`), so nothing can change between the check and the use.
"""

import hashlib
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import JsonValue, ValidationError

from guard.artifacts.manifest import (
    CARD,
    MANIFEST,
    REPORT,
    SCHEMA,
    FileEntry,
    Manifest,
    Report,
    card,
)
from guard.artifacts.versions import served_folder
from guard.terms.errors import ArtifactError

WEIGHTS = "weights.safetensors"
MAX_MANIFEST_BYTES = 1 << 20
MAX_BYTES = 2 << 30

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

Tensors = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A verified artifact: its manifest and the bytes of the files it lists."""

    folder: Path
    manifest: Manifest
    contents: Mapping[str, bytes]

    def bytes_of(self, name: str) -> bytes:
        """The content of a file; `ArtifactError` if the artifact has no such file."""
        try:
            return self.contents[name]
        except KeyError:
            raise _error(self.folder, f"files.{name}", "missing from this artifact") from None

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """The tensors of `weights.safetensors`."""
        from safetensors.numpy import load

        try:
            return dict(load(self.bytes_of(WEIGHTS)))
        except ArtifactError:
            raise
        except Exception as error:  # safetensors raises its own class and ValueErrors
            raise _error(self.folder, WEIGHTS, f"not a safetensors file ({error})") from error

    def recipe_value(self, key: str, kind: type) -> JsonValue:
        """A value of the recipe, checked to be of the type `kind`."""
        value = self.manifest.recipe.get(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _error(self.folder, f"recipe.{key}", f"expected {kind.__name__}, found {value!r}")
        return value

    def fail(self, field: str, problem: str) -> ArtifactError:
        """An error about this artifact, to be raised by whoever finds its content unusable."""
        return _error(self.folder, field, problem)


def write(
    folder: Path,
    manifest: Manifest,
    *,
    tensors: Tensors | None = None,
    files: Mapping[str, bytes] | None = None,
    report: Report | None = None,
) -> Artifact:
    """Write an artifact folder and return it as `read` would.

    The folder appears whole or not at all; an older artifact in its place is replaced. A folder
    that holds anything else is refused with `ArtifactError`.
    """
    _check_replaceable(folder)  # before anything is computed
    contents = _contents(folder, manifest, tensors, files, report)
    entries = {
        name: FileEntry(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
        for name, content in sorted(contents.items())
    }
    final = manifest.model_copy(update={"files": entries})
    return install(Artifact(folder, final, contents), folder)


def read(folder: Path, kind: str | None = None, *, limit: int = MAX_BYTES) -> Artifact:
    """Load and verify an artifact of `kind` (None: any); `limit` bounds its size in bytes.

    Of a versioned folder (`guard.artifacts.versions`) it is the version in service.

    Raises `ArtifactError` naming folder and field: unreadable or unknown manifest, wrong kind,
    a listed file that is missing, altered, too large or not a plain file, a file not listed.
    """
    folder = served_folder(folder)
    manifest = _read_manifest(folder)
    if kind is not None and manifest.kind != kind:
        raise _error(folder, "kind", f"expected {kind!r}, found {manifest.kind!r}")
    total = sum(entry.bytes for entry in manifest.files.values())
    if total > limit:
        raise _error(folder, "files", f"{total} bytes in all, more than the {limit} allowed")
    _check_names(folder, manifest)
    contents = {name: _read_listed(folder, name, entry) for name, entry in manifest.files.items()}
    return Artifact(folder, manifest, contents)


def read_digest(folder: Path) -> str:
    """The digest of the manifest in an artifact folder; `ArtifactError` if it cannot be read."""
    return _read_manifest(served_folder(folder)).digest


def install(artifact: Artifact, folder: Path) -> Artifact:
    """Write a verified artifact to another folder, unchanged, whole or not at all.

    An older artifact in its place is replaced; anything else there is refused with ArtifactError.
    """
    _check_replaceable(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        _fill(temporary, artifact.manifest, artifact.contents)
        _replace(folder, temporary)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return Artifact(folder, artifact.manifest, artifact.contents)


def _error(folder: Path, field: str, problem: str) -> ArtifactError:
    return ArtifactError(f"artifact {folder}: {field}: {problem}")


def _contents(
    folder: Path,
    manifest: Manifest,
    tensors: Tensors | None,
    files: Mapping[str, bytes] | None,
    report: Report | None,
) -> dict[str, bytes]:
    from safetensors.numpy import save

    contents = dict(files or {})
    for name in contents:
        if not _NAME.fullmatch(name) or name in (MANIFEST, WEIGHTS, REPORT, CARD):
            raise _error(folder, f"files.{name}", "not a usable file name")
    if tensors:
        contents[WEIGHTS] = save({key: np.ascontiguousarray(tensors[key]) for key in tensors})
    contents[REPORT] = orjson.dumps(dict(report or {}), option=orjson.OPT_INDENT_2)
    contents[CARD] = card(manifest, report or {}).encode()
    return contents


def _fill(folder: Path, manifest: Manifest, contents: Mapping[str, bytes]) -> None:
    for name, content in contents.items():
        _write_synced(folder / name, content)
    document = orjson.dumps(manifest.model_dump(mode="json"), option=orjson.OPT_INDENT_2)
    _write_synced(folder / MANIFEST, document)
    folder.chmod(0o755)  # mkdtemp makes it private; the server often runs as another user


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _check_replaceable(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise _error(folder, "folder", "exists and is not a folder")
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).is_file():
        raise _error(folder, "folder", "holds something that is not an artifact; not replaced")


def _replace(folder: Path, new: Path) -> None:
    """Put `new` where `folder` is; the older one comes back if that fails."""
    if not folder.exists():
        new.rename(folder)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
    old = aside / "artifact"
    folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        old.rename(folder)
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _read_manifest(folder: Path) -> Manifest:
    if not folder.is_dir():
        raise _error(folder, "folder", "not a folder")
    content = _read_plain(folder, MANIFEST, MAX_MANIFEST_BYTES)
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _error(folder, MANIFEST, f"not JSON ({error})") from error
    schema = document.get("schema_version") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise _error(folder, "schema_version", f"expected {SCHEMA}, found {schema!r}")
    try:
        return Manifest.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(step) for step in first["loc"])
        raise _error(folder, field, first["msg"]) from error


def _check_names(folder: Path, manifest: Manifest) -> None:
    for name in manifest.files:
        if not _NAME.fullmatch(name) or name == MANIFEST:
            raise _error(folder, f"files.{name}", "not a plain file name")
    unlisted = {entry.name for entry in folder.iterdir()} - manifest.files.keys() - {MANIFEST}
    if unlisted:
        raise _error(folder, min(unlisted), "not listed in the manifest")


def _read_listed(folder: Path, name: str, entry: FileEntry) -> bytes:
    content = _read_plain(folder, name, entry.bytes)
    if len(content) != entry.bytes:
        raise _error(folder, name, f"{len(content)} bytes, the manifest says {entry.bytes}")
    if hashlib.sha256(content).hexdigest() != entry.sha256:
        raise _error(folder, name, "SHA-256 differs from the manifest")
    return content


def _read_plain(folder: Path, name: str, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes; links are not followed."""
    path = folder / name
    if path.is_symlink():
        raise _error(folder, name, "is a symbolic link")
    if not path.is_file():
        raise _error(folder, name, "missing")
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)
    try:
        with os.fdopen(os.open(path, flags), "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise _error(folder, name, error.strerror or "unreadable") from error
    if len(content) > limit:
        raise _error(folder, name, f"larger than {limit} bytes")
    return content
