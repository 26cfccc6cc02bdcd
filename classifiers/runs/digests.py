"""SHA-256 digests, in hex, that say what a result was made from."""

import hashlib
from pathlib import Path
from typing import Any

import orjson


def digest_of(parts: Any) -> str:
    """The digest of what JSON can hold; in whatever order a mapping has its keys."""
    return hashlib.sha256(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS)).hexdigest()


def file_digest(path: Path) -> str | None:
    """The digest of a file; None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def file_digests(folder: Path) -> dict[str, str | None]:
    """The digest of every file under a folder, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): file_digest(path) for path in files}
