"""One request as its detectors read it: texts are cut to fit each, encoded once and scored once."""

import logging
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from guard.detectors.contract import Detector, Features, Scores, WindowedEncoder, Windowing
from guard.errors import DetectorError
from guard.screening.pieces import Pieces, joined_pieces, own_pieces
from guard.screening.views import ViewLimits
from guard.wire.call import TextSpan

logger = logging.getLogger(__name__)


class Reading:
    """A request's spans, and what has been made of them so far.

    Policies share it: pieces are cut once for all detectors that read through the same model, a
    text is encoded once for all detectors of features, and scored once by each detector however
    many policies judge by it. Not for two threads at a time.
    """

    def __init__(
        self, spans: Sequence[TextSpan], encoder: WindowedEncoder | None, limits: ViewLimits
    ) -> None:
        self._spans = spans
        self._encoder = encoder
        self._limits = limits
        self._fitted: dict[int, tuple[Pieces, Pieces]] = {}  # by the identity of what reads them
        self._scores: dict[int, dict[str, float]] = {}  # by the detector's identity
        self._features: dict[str, Features] = {}
        self._encoder_failed = False

    def span_scores(self, detector: Detector, threshold: float) -> NDArray[np.float32]:
        """Each span's score, shape (number of spans,).

        Joined turns count for all spans they cover, unless spans reach `threshold` by themselves:
        then the rest is joined anew without those (see `guard.screening.pieces`).
        """
        count = len(self._spans)
        own, joined = self._pieces(detector)
        scores = self._scored(detector, (*own.texts, *joined.texts))
        border = len(own.texts)
        by_span = own.span_scores(scores[:border], count)
        by_turns = joined.span_scores(scores[border:], count)
        fired = np.flatnonzero(by_span >= threshold)
        if fired.size and by_turns.max(initial=0) >= threshold:
            rest = self._joined_without(set(fired.tolist()), detector)
            by_turns = rest.span_scores(self._scored(detector, rest.texts), count)
        return np.maximum(by_span, by_turns)

    @cached_property
    def _whole(self) -> tuple[Pieces, Pieces]:
        """Own and joined pieces, before they are fitted to any model."""
        return own_pieces(self._spans, self._limits), joined_pieces(self._spans, self._limits)

    def _pieces(self, detector: Detector) -> tuple[Pieces, Pieces]:
        windowing = self._windowing(detector)
        if windowing is None:
            return self._whole
        if id(windowing) not in self._fitted:
            own, joined = self._whole
            self._fitted[id(windowing)] = own.fitted(windowing), joined.fitted(windowing)
        return self._fitted[id(windowing)]

    def _joined_without(self, fired: Collection[int], detector: Detector) -> Pieces:
        windowing = self._windowing(detector)
        rest = joined_pieces(self._spans, self._limits, without=fired)
        return rest if windowing is None else rest.fitted(windowing)

    def _windowing(self, detector: Detector) -> Windowing | None:
        """What bounds the texts that the detector reads: the shared encoder, itself or nothing."""
        if detector.encoder is not None:
            return self._encoder
        return detector if isinstance(detector, Windowing) else None

    def _scored(self, detector: Detector, texts: Sequence[str]) -> Scores:
        """The detector's scores, shape (n,); it sees only texts that it has not seen yet."""
        known = self._scores.setdefault(id(detector), {})
        new = tuple(text for text in dict.fromkeys(texts) if text not in known)
        if new:
            features = None if detector.encoder is None else self._encoded(new)
            known.update(zip(new, _checked(detector.score(new, features), len(new)), strict=True))
        return np.array([known[text] for text in texts], dtype=np.float32)

    def _encoded(self, texts: Sequence[str]) -> Features:
        """Features, shape (n, width); raises DetectorError where there is no encoder at work."""
        new = [text for text in texts if text not in self._features]
        if self._encoder is None or self._encoder_failed:
            raise DetectorError("no features")
        if new:
            try:
                self._features.update(zip(new, self._encoder.encode(new), strict=True))
            except Exception as error:
                self._encoder_failed = True  # for all detectors of this request
                logger.error("encoder failed: %s", type(error).__name__)
                raise DetectorError("no features") from error
        return np.stack([self._features[text] for text in texts])


def _checked(scores: Scores, count: int) -> list[float]:
    """The scores; a missing one, or one that is not a number, would pass every threshold unseen."""
    if scores.shape != (count,) or not np.isfinite(scores).all():
        raise DetectorError(f"scores of shape {scores.shape}, expected {count} finite ones")
    listed: list[float] = scores.tolist()
    return listed
