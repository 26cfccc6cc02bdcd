"""What of a file changes when it is written or replaced: who watches a file compares it."""

from pathlib import Path

Signature = tuple[int, ...]


def signature_of(file: Path) -> Signature | None:
    """The file's time, size and number; None where it cannot be looked at."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino, status.st_dev
