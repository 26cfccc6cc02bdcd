"""What a reading must know before it can go on, and whether an answer tells it."""

from collections.abc import Sequence

import numpy as np

from guard.terms.conversation import Asked, LastTurn
from guard.terms.detector import Detector, Scores
from guard.terms.errors import DetectorError


class WantedError(Exception):
    """A detector that waits for a server is to be asked for `contents`, known by their `names`."""

    def __init__(
        self, detector: Detector, kind: str, names: Sequence[str], contents: Sequence[Asked]
    ) -> None:
        super().__init__(kind)
        self.detector = detector
        self.kind = kind
        self.names = tuple(names)
        self.contents = tuple(contents)

    @property
    def texts(self) -> list[str]:
        """The texts that are to be judged."""
        bare = [each.text if isinstance(each, LastTurn) else each for each in self.contents]
        return [each for each in bare if isinstance(each, str)]


def checked(texts: Sequence[str], scores: Scores) -> dict[str, float]:
    """Each text's score; a missing one, or one that is no number, would pass unseen."""
    if scores.shape != (len(texts),) or not np.isfinite(scores).all():
        raise DetectorError(f"scores of shape {scores.shape}, expected {len(texts)} finite ones")
    return dict(zip(texts, scores.tolist(), strict=True))
