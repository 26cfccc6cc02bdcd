"""What the shared encoder makes of one request's texts: each is encoded once for all detectors."""

import logging
from collections.abc import Iterable, Sequence

import numpy as np

from guard.terms.detector import Encoder, Features
from guard.terms.errors import DetectorError

logger = logging.getLogger(__name__)


class SharedFeatures:
    """Features by text. An encoder that failed is not asked again for the same request."""

    def __init__(self, encoder: Encoder | None) -> None:
        self._encoder = encoder
        self._features: dict[str, Features] = {}
        self._failed = False

    def keep(self, texts: Sequence[str], features: Iterable[Features]) -> None:
        """Take over what another model has made of the texts, row by row."""
        self._features.update(zip(texts, features, strict=True))

    def of(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width); raises DetectorError where there is no encoder at work."""
        new = [text for text in texts if text not in self._features]
        if self._encoder is None or self._failed:
            raise DetectorError("no features")
        if new:
            try:
                self.keep(new, self._encoder.encode(new))
            except Exception as error:
                self._failed = True
                logger.error("encoder failed: %s", type(error).__name__)
                raise DetectorError("no features") from error
        return np.stack([self._features[text] for text in texts])
