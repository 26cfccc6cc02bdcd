"""From files to the index that `guard` serves: hashes of their words, never the words."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import DataSource, draft
from guard.detectors.verbatim.grams import (
    Hashes,
    chunks,
    exact_hashes,
    run_hashes,
    skip_hashes,
    words_of,
)
from guard.detectors.verbatim.index import EXACT, GRAMS, KIND, LENGTHS
from guard.detectors.verbatim.membership import Filter
from guard.terms.errors import ConfigError

CHUNK = 1 << 20
LEAST_EXACT = 2
"""Words: a single one would stop every answer that says it."""


def index(folder: Path, name: str, files: Sequence[Path], exact: Sequence[Path] = ()) -> Artifact:
    """Write the index of text files, and of the lines of `exact` files, to `folder`.

    A file is read twice and in pieces; memory holds the index alone, four bytes a word. Raises
    ConfigError for a file that cannot be read or a line that is too short.
    """
    words = sum(len(words_of(piece).hashes) for file in files for piece in _pieces(file))
    known = Filter.sized(2 * words)
    for file in files:
        for piece in _pieces(file):
            hashes = words_of(piece).hashes
            known.add(run_hashes(hashes))
            known.add(skip_hashes(hashes))
    lines = [line for file in exact for line in _read(file).splitlines() if line.strip()]
    lengths, strings = _exact(lines)
    return write(
        folder,
        draft(KIND, name, data=_sources(files, words), metrics={"words": words}),
        tensors={LENGTHS: lengths, EXACT: strings},
        files={GRAMS: known.bits.tobytes()},
        report={"summary": f"{words} words of {len(files)} files, {len(lines)} exact strings."},
    )


def _exact(lines: Sequence[str]) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Hashes]:
    found = [words_of(line).hashes for line in lines]
    short = next((i for i, words in enumerate(found) if len(words) < LEAST_EXACT), None)
    if short is not None:
        raise ConfigError(f"exact string {short + 1}: fewer than {LEAST_EXACT} words")
    hashes = [exact_hashes(words, len(words)) for words in found]
    lengths = np.array(sorted({len(words) for words in found}), dtype=np.int64)
    return lengths, np.concatenate([*hashes, np.empty(0, dtype=np.uint64)])


def _pieces(file: Path) -> Iterator[str]:
    return chunks([_read(file)], CHUNK)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror or 'unreadable'}") from error


def _sources(files: Sequence[Path], words: int) -> dict[str, DataSource]:
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return {"texts": DataSource(sha256=digest.hexdigest(), rows=words)}
