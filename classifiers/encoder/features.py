"""Encodes prompts once: features are cached by encoder and text, and an interrupted run resumes."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import tee
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from guard.terms.detector import Encoder, Features
from guard.terms.errors import ConfigError

SHARD_ROWS = 256
"""Texts encoded between two writes to the cache."""
_KEYS, _ROWS = "keys", "features"


class FeatureCache:
    """Features on disk, a folder per encoder digest, in shards that are written whole.

    A shard holds the texts' hashes (n, 16) and their features (n, width); never a text.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, encoder: Encoder) -> dict[bytes, Features]:
        """All cached rows of an encoder, by text hash; ConfigError names a shard not readable."""
        from safetensors.numpy import load_file

        rows: dict[bytes, Features] = {}
        for shard in sorted(self._place(encoder).glob("*.safetensors")):
            try:
                tensors = load_file(shard)
                keys, features = tensors[_KEYS], tensors[_ROWS]
            except Exception as error:  # safetensors raises its own class, OSErrors and KeyErrors
                raise ConfigError(f"{shard}: not a readable cache file; delete it") from error
            rows.update(zip((key.tobytes() for key in keys), features, strict=True))
        return rows

    def add(self, encoder: Encoder, texts: Sequence[str], features: Features) -> None:
        """Write a shard; its name is its content's, so that two writers do not collide."""
        from safetensors.numpy import save

        keys = np.stack([np.frombuffer(key_of(text), dtype=np.uint8) for text in texts])
        content = save({_KEYS: keys, _ROWS: features})
        place = self._place(encoder)
        place.mkdir(parents=True, exist_ok=True)
        shard = place / f"{hashlib.sha256(content).hexdigest()[:16]}.safetensors"
        temporary = shard.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(shard)

    def _place(self, encoder: Encoder) -> Path:
        return self._folder / encoder.digest[:32]


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
    known = cache.load(encoder) if cache else {}
    missing = list({key_of(text): text for text in texts if key_of(text) not in known}.values())
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
