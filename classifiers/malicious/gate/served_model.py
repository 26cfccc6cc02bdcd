"""A detector artifact as a scorer of texts that sees what serving sees: views and windows.

What the gate and the trigger scan ask; any kind of detector that the proxy can load will do.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from classifiers.malicious.data.served_pieces import highest, served_pieces
from classifiers.malicious.gate.trigger_scan import Model, Scorer
from guard.detectors.kinds import load_detector
from guard.terms.detector import Encoder, Features, Reader, Scores
from guard.terms.errors import ConfigError


class LastBatch(Encoder):
    """An encoder that keeps the features of the last texts: two detectors read the same ones."""

    def __init__(self, encoder: Encoder) -> None:
        self.digest, self.width = encoder.digest, encoder.width
        self.window_tokens = encoder.window_tokens
        self._encoder = encoder
        self._last: tuple[tuple[str, ...], Features] | None = None

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        """As of the encoder."""
        return self._encoder.windows(text, size, stride)

    def encode(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width)."""
        if self._last is None or self._last[0] != tuple(texts):
            self._last = (tuple(texts), self._encoder.encode(texts))
        return self._last[1]


def load_model(folder: Path, encoder: Encoder | None) -> Model:
    """The detector in an artifact folder with its threshold.

    Raises ArtifactError naming what is wrong with it, ConfigError where it needs an encoder.
    """
    detector = load_detector(folder, encoder)
    if detector.encoder is None:
        scorer = text_scorer(lambda texts: detector.score(texts, None), detector)
        return Model(scorer, detector.threshold)
    if encoder is None:
        raise ConfigError(f"{folder}: this detector needs its encoder (--encoder)")

    def score(texts: Sequence[str]) -> Scores:
        return detector.score(texts, encoder.encode(texts))

    return Model(text_scorer(score, encoder), detector.threshold)


def feature_scorer(score: Callable[[Features], Scores], encoder: Encoder) -> Scorer:
    """A scorer of texts from one of features."""
    return text_scorer(lambda pieces: score(encoder.encode(pieces)), encoder)


def text_scorer(score: Callable[[Sequence[str]], Scores], reader: Reader | None = None) -> Scorer:
    """Scores of whole texts, each the highest of its pieces', from a scorer of pieces.

    Nothing is cached: a scan asks for thousands of texts that never come again.
    """

    def scores(texts: Sequence[str]) -> Scores:
        pieces = served_pieces(texts, reader)
        if not pieces.texts:
            return highest(score(()), pieces.owner_index, len(texts))
        return highest(score(pieces.texts), pieces.owner_index, len(texts))

    return scores
