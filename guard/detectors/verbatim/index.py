"""The detector of quotes: from protected texts that were indexed, and from exact strings."""

from collections.abc import Sequence

import numpy as np

from guard.artifacts.folder import Artifact, read
from guard.detectors.context import Context
from guard.detectors.verbatim.grams import Hashes
from guard.detectors.verbatim.membership import Filter, Listed
from guard.detectors.verbatim.quotes import Quote, Quotes
from guard.settings import VerbatimDetector
from guard.terms.detector import Detector, Features, Scores, WindowSize

KIND = "verbatim"
GRAMS = "grams.bits"
EXACT, LENGTHS = "exact", "lengths"
LETTERS = 12
"""Characters of a long word, with the space behind it."""


class QuoteDetector(Detector):
    """Scores the longest quote of a text: 0.5 for one of `words` words, 1 for twice as many, and 1
    for an exact string."""

    threshold = 0.5
    finds_spans = True

    def __init__(self, quotes: Quotes, words: int, version: str = "") -> None:
        """`words` is the length from which on a quote is too long."""
        self.version = f"{version}-{words}" if version else ""
        self.context = LETTERS * words
        self.window_sizes = (WindowSize(max(8000, 4 * self.context), self.context),)
        self._quotes = quotes
        self._words = words

    def score(self, texts: Sequence[str], features: Features | None = None) -> Scores:  # noqa: ARG002
        """Scores in [0, 1], shape (n,), of n texts; features are not read."""
        return np.array([self._score(text) for text in texts], dtype=np.float32)

    def spans(self, text: str) -> tuple[tuple[int, int], ...]:
        """Where quotes that are too long stand, and exact strings."""
        long = [quote for quote in self._quotes.found(text) if quote.words >= self._words]
        return tuple((quote.start, quote.end) for quote in (*long, *self._quotes.exact(text)))

    def _score(self, text: str) -> float:
        if self._quotes.exact(text):
            return 1.0
        longest = max(map(_length, self._quotes.found(text)), default=0)
        return min(1.0, longest / (2 * self._words))


def _length(quote: Quote) -> int:
    return quote.words


def load(source: VerbatimDetector, context: Context) -> QuoteDetector:  # noqa: ARG001
    """The detector of a section of kind `verbatim`; raises ArtifactError."""
    artifact = read(source.path, KIND)
    return QuoteDetector(quotes_of(artifact), source.words, artifact.manifest.digest)


def quotes_of(artifact: Artifact) -> Quotes:
    """What an artifact knows. Its hashes stay in the file, which is mapped into memory."""
    artifact.bytes_of(GRAMS)
    tensors = artifact.tensors()
    lengths = tensors.get(LENGTHS, np.empty(0, dtype=np.int64))
    exact = tensors.get(EXACT, np.empty(0, dtype=np.uint64))
    counts = lengths.tolist()
    if lengths.dtype != np.int64 or exact.dtype != np.uint64 or min(counts, default=1) < 1:
        raise artifact.fail("tensors", "expected 'lengths', int64 from 1 on, and 'exact', uint64")
    hashes: Hashes = exact.astype(np.uint64)
    return Quotes(Filter.mapped(artifact.folder / GRAMS), Listed(hashes), counts)
