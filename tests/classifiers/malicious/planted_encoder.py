"""An encoder without a model: noise, and a direction of its own for texts with words of attacks."""

import hashlib
from collections.abc import Sequence

import numpy as np

from guard.terms.detector import Encoder, Features
from tests.classifiers.malicious.prompts import ORDERS

WIDTH = 12


class PlantedEncoder(Encoder):
    """Features of width 12; the text's hash seeds the noise. Counts what it encodes.

    `strength` is how far attacks lie from other texts, in standard deviations of the noise;
    after `fails_after` texts it raises KeyboardInterrupt, as an operator would.
    """

    def __init__(self, strength: float = 8.0, digest: str = "e" * 64) -> None:
        self.digest = digest
        self.width = WIDTH
        self.encoded = 0
        self.fails_after: int | None = None
        self._strength = strength

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:  # noqa: ARG002
        """One window of everything."""
        return [(0, len(text))]

    def encode(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, 12), float32."""
        self.encoded += len(texts)
        if self.fails_after is not None and self.encoded > self.fails_after:
            raise KeyboardInterrupt
        rows = [self._row(text) for text in texts]
        return np.stack(rows) if rows else np.empty((0, WIDTH), dtype=np.float32)

    def _row(self, text: str) -> Features:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])
        row = np.random.default_rng(seed).standard_normal(WIDTH).astype(np.float32)
        row[0] += self._strength * any(order in text for order in ORDERS)
        return row
