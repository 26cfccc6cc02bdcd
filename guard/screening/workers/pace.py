"""How much a detector is given at a time: what it reads in about 50 ms, learned as it reads."""

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from guard.terms.detector import Detector

BATCH_S = 0.04
"""What a batch should take. The last of a request that nobody waits for any more is read to its
end, and others wait for it."""
FIRST_CHARACTERS = 800
"""Of the first batch of all: one window."""
MOST_CHARACTERS = 1 << 20
GROWTH = 1.5
"""How many times as long as the one before a batch may be: texts of other kinds may be slower."""


class Pace:
    """One detector's, over all requests; threads that learn at the same time do no harm."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self.characters = float(FIRST_CHARACTERS)
        self._clock = clock

    def batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        """The texts, the shortest first, so that those of a batch have like lengths; each batch as
        long as fits, at least one text."""
        batch: list[str] = []
        size = 0
        for text in sorted(texts, key=len):
            if batch and size + len(text) > self.characters:
                yield from self._timed(batch, size)
                batch, size = [], 0
            batch.append(text)
            size += len(text)
        if batch:
            yield from self._timed(batch, size)

    def _timed(self, batch: list[str], size: int) -> Iterator[list[str]]:
        began = self._clock()
        yield batch
        seconds = max(self._clock() - began, 1e-6)
        # A short batch says little of how long a full one may be.
        fits = max(size * BATCH_S / seconds, FIRST_CHARACTERS)
        self.characters = min(fits, self.characters * GROWTH, MOST_CHARACTERS)


class Paces:
    """The pace of each detector, by its identity."""

    def __init__(self) -> None:
        self._paces: dict[int, Pace] = {}

    def batches(self, detector: Detector, texts: Sequence[str]) -> Iterator[list[str]]:
        """The texts in batches, as `Pace.batches`; between two of them others may go first."""
        return self._paces.setdefault(id(detector), Pace()).batches(texts)
