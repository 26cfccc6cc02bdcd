"""A detector applied to whole prompts as serving does: views, windows, highest piece score.

Piece scores are cached by detector and text, so that an interrupted evaluation resumes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from classifiers.encoder.features import FeatureCache, encode
from classifiers.malicious.data.served_pieces import (
    ServedPieces,
    conversation_pieces,
    highest,
    served_pieces,
)
from classifiers.prompts.labelled import LabelledPrompt
from guard.artifacts.folder import read
from guard.detectors.kinds import load_detector
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.screening.views.view import ViewLimits
from guard.terms.detector import Detector, Encoder, Features, Reader, Scores

ORIGINAL_ONLY = ViewLimits(max_views=1)
"""Limits under which a text has no view but itself."""


class PieceScorer(Encoder):
    """A detector in the shape of an encoder, so that scores are cached as features are.

    Features have one column, the score.
    """

    width = 1

    def __init__(self, detector: Detector, digest: str, encoder: Encoder | None) -> None:
        self.digest = digest
        self._detector = detector
        self._encoder = encoder

    def encode(self, texts: Sequence[str]) -> Features:
        """Scores of pieces, shape (n, 1)."""
        reads_features = self._detector.encoder is not None and self._encoder is not None
        features = self._encoder.encode(texts) if reads_features and self._encoder else None
        return self._detector.score(texts, features).astype(np.float32)[:, None]


class ServedDetector:
    """A detector and what it needs to judge prompts; `threshold` is its own."""

    def __init__(
        self,
        detector: Detector,
        digest: str,
        encoder: Encoder | None = None,
        cache: FeatureCache | None = None,
    ) -> None:
        self.threshold = detector.threshold
        self._scorer = PieceScorer(detector, digest, encoder)
        self._reader = _reader(detector, encoder)
        self._cache = cache

    @classmethod
    def load(cls, folder: Path, encoder: Path | None, cache: Path | None) -> Self:
        """The detector in an artifact folder; ArtifactError says what is wrong with it."""
        reader = OnnxEncoder.load(encoder) if encoder else None
        detector = load_detector(folder, reader)
        digest = read(folder).manifest.digest
        return cls(detector, digest, reader, FeatureCache(cache) if cache else None)

    def score(
        self, texts: Sequence[str], *, views: bool = True, label: str | None = None
    ) -> Scores:
        """Each prompt's score, shape (n,); without `views` only what it literally says counts.

        With a `label`, a progress bar of that name is shown on standard error.
        """
        limits = ViewLimits() if views else ORIGINAL_ONLY
        return self._highest(served_pieces(texts, self._reader, limits), len(texts), label)

    def score_prompts(
        self, prompts: Sequence[LabelledPrompt], *, views: bool = True, label: str | None = None
    ) -> Scores:
        """As `score`; a conversation has every turn's score and that of the joined turns."""
        limits = ViewLimits() if views else ORIGINAL_ONLY
        pieces = conversation_pieces(prompts, self._reader, limits)
        return self._highest(pieces, len(prompts), label)

    def _highest(self, pieces: ServedPieces, count: int, label: str | None) -> Scores:
        scores = encode(pieces.texts, self._scorer, cache=self._cache, label=label)[:, 0]
        return highest(scores, pieces.owner_index, count)


def _reader(detector: Detector, encoder: Encoder | None) -> Reader | None:
    """What bounds the texts that the detector reads, as in `guard.screening.reading`."""
    return detector if detector.encoder is None else encoder
