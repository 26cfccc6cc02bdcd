"""What a built model came from and holds: SHA-256 of files and of the sources that made them."""

import hashlib
import importlib.resources
import json
from collections.abc import Mapping, Sequence
from pathlib import Path


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file; None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def file_digests(folder: Path) -> dict[str, str | None]:
    """Every file under a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}


def recipe_of(settings: object, modules: Mapping[str, Sequence[str]]) -> str:
    """SHA-256 of what decides an outcome: settings, as JSON, and the sources of the modules named
    by package."""
    digest = hashlib.sha256(json.dumps(settings).encode())
    for package, names in modules.items():
        for name in names:
            source = importlib.resources.files(package).joinpath(f"{name}.py")
            digest.update(source.read_bytes())
    return digest.hexdigest()
