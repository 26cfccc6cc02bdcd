"""What a detector's scores lose by whose text it is and by how much is read: in log odds."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from guard.screening.amounts import windows_read
from guard.screening.cutting.cuts import Authors
from guard.screening.cutting.seams import least_trusted
from guard.terms.detector import Scores
from guard.terms.item import Item
from guard.terms.thresholds import Thresholds


class Discounts:
    """Makes one threshold do for all texts of a request; takes nothing off without `thresholds`."""

    def __init__(
        self, items: Sequence[Item], authors: Authors, thresholds: Thresholds | None
    ) -> None:
        self._items = items
        self._taken: list[float] | None = None
        if thresholds is not None:
            read = windows_read(items, authors).tolist()
            pairs = zip(items, read, strict=True)
            self._taken = [thresholds.discount(item.author, windows) for item, windows in pairs]

    def of_items(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The scores of the items, shape (n,), less what each author's lose."""
        return scores if self._taken is None else _less(scores, self._taken)

    def of_windows(self, scores: Scores, items: Sequence[Sequence[int]]) -> Scores:
        """The scores of windows over several items, shape (n,), less what the least trusted author
        in each loses."""
        if self._taken is None:
            return scores
        return _less(scores, [self._of_window(covered, self._taken) for covered in items])

    def _of_window(self, covered: Sequence[int], taken: Sequence[float]) -> float:
        author = least_trusted(self._items[index].author for index in covered)
        return min(taken[index] for index in covered if self._items[index].author == author)


def _less(scores: NDArray[np.float32], taken: Sequence[float]) -> NDArray[np.float32]:
    """Probabilities (n,) with log odds (n,) taken off: logistic(log(s / (1 - s)) - d)."""
    odds = np.exp(np.array(taken, dtype=np.float32))
    return np.asarray(scores / (scores + (1 - scores) * odds), dtype=np.float32)
