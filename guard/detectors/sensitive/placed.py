"""Detectors whose finds have a place in the text; a text scores as its surest find."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from guard.terms.detector import Detector, Features, Scores, WindowSize

WINDOW = WindowSize(4000, 400)
"""Long enough for whatever is looked for, and read within a step of cancellation."""


class Find(NamedTuple):
    """Something from `start` to before `end`, in characters; how sure it is, in [0, 1]."""

    start: int
    end: int
    confidence: float


class PlacingDetector(Detector):
    """Looks at texts as they are written: numbers that only a decoder would see are nobody's."""

    reads_as_written = True
    finds_spans = True
    window_sizes = (WINDOW,)

    @abstractmethod
    def finds(self, text: str) -> Iterator[Find]:
        """All that is found in a text, in any order; finds may overlap."""

    def score(self, texts: Sequence[str], features: Features | None = None) -> Scores:  # noqa: ARG002
        """The confidence of each text's surest find, 0 without one, shape (n,)."""
        surest = (max((f.confidence for f in self.finds(text)), default=0.0) for text in texts)
        return np.fromiter(surest, dtype=np.float32, count=len(texts))

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where everything that reaches the threshold stands, as (start, end) in characters."""
        found = self.finds(text)
        return tuple((f.start, f.end) for f in found if f.confidence >= self.threshold)
