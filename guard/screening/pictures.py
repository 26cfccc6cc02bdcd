"""The pictures of a request, each once, for detectors that read them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from guard.terms.item import Author, Item, Picture


class Pictures:
    """Those of some authors; `contents` are what a detector is asked about, by digest."""

    def __init__(self, items: Sequence[Item], authors: frozenset[Author]) -> None:
        self._judged = [item.picture if item.author in authors else None for item in items]
        self.contents: dict[str, Picture] = {p.digest: p for p in self._judged if p}

    def item_scores(self, scores: Mapping[str, float]) -> NDArray[np.float32]:
        """Each item's score, 0 for one without a picture, shape (number of items,)."""
        own = (scores[picture.digest] if picture else 0.0 for picture in self._judged)
        return np.fromiter(own, dtype=np.float32, count=len(self._judged))
