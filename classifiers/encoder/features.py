"""Encodes prompts once: features are cached by encoder and text, and an interrupted run resumes."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from classifiers.runs.kept_work import KeptWork
from guard.terms.detector import Encoder, Features

SHARD_ROWS = 256
"""Texts encoded between two writes to the cache."""


class FeatureCache:
    """Features on disk by the hash of their text, a file for each encoder; never a text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, encoder: Encoder, keys: Iterable[bytes]) -> dict[bytes, Features]:
        """The cached rows, (width,) each, of those keys that have one."""
        with self._open(encoder) as kept:
            found = kept.find_all(keys)
        return {key: np.frombuffer(row, dtype=np.float32) for key, row in found.items()}

    def add(self, encoder: Encoder, texts: Sequence[str], features: Features) -> None:
        """Keep the features (n, width) of n texts."""
        rows = (np.asarray(row, dtype=np.float32).tobytes() for row in features)
        with self._open(encoder) as kept:
            kept.keep(dict(zip(map(key_of, texts), rows, strict=True)))

    def _open(self, encoder: Encoder) -> KeptWork:
        file = self._folder / f"features-{encoder.digest[:32]}.sqlite"
        return KeptWork(file, {"encoder": encoder.digest})


def key_of(text: str) -> bytes:
    """A text's key in the cache: 16 bytes of its SHA-256."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()[:16]


def encode(
    texts: Sequence[str],
    encoder: Encoder,
    *,
    cache: FeatureCache | None = None,
    label: str | None = None,
) -> Features:
    """Features of `texts`, shape (n, width); equal texts are encoded once.

    With a `label`, a progress bar of that name is shown on standard error.
    """
    by_key = {key_of(text): text for text in texts}
    known = cache.load(encoder, by_key) if cache else {}
    missing = [text for key, text in by_key.items() if key not in known]
    # Longest first: shards of even lengths, and the time left is overestimated, not the reverse.
    missing.sort(key=len, reverse=True)
    for shard, features in _encoded(missing, encoder, label):
        if cache:
            cache.add(encoder, shard, features)
        known.update(zip(map(key_of, shard), features, strict=True))
    if not texts:
        return np.empty((0, encoder.width), dtype=np.float32)
    return np.stack([known[key_of(text)] for text in texts])


@runtime_checkable
class ShardEncoder(Protocol):
    """An encoder that has several shards under way at a time."""

    def encode_shards(self, shards: Iterable[Sequence[str]]) -> Iterator[Features]:
        """Features of each shard, in the order of the shards."""
        ...


def _encoded(
    texts: list[str], encoder: Encoder, label: str | None
) -> Iterator[tuple[list[str], Features]]:
    """Each shard of the texts with its features."""
    if not isinstance(encoder, ShardEncoder):
        yield from ((shard, encoder.encode(shard)) for shard in _shards(texts, label))
        return
    ahead, shards = tee(_shards(texts, label))
    yield from zip(shards, encoder.encode_shards(ahead), strict=True)


def _shards(texts: list[str], label: str | None) -> Iterator[list[str]]:
    """The texts in shards, with a progress bar on standard error where there is a label."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), disable=label is None, transient=True) as progress:
        task = progress.add_task(label or "", total=len(texts))
        for at in range(0, len(texts), SHARD_ROWS):
            yield texts[at : at + SHARD_ROWS]
            progress.advance(task, min(SHARD_ROWS, len(texts) - at))
