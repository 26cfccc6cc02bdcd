"""Thresholds that hold their false-positive rate for requests of every length.

The score of a request is the highest of all that it makes a detector read, so it grows with the
number of windows. Requests are put into bins by that number, each twice as wide as the one before,
and each bin gets the split-conformal threshold of its own harmless requests (Mondrian conformal
prediction, Vovk et al. 2005, section 4.5): a new harmless request that is exchangeable with those
of its bin reaches it with probability at most `fpr`, whatever its length.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.statistics.thresholds import TooFewRowsError, conformal_threshold
from guard.terms.thresholds import Steps


@dataclass(frozen=True, slots=True)
class Bin:
    """Harmless requests that make a detector read from `start` to `end` windows.

    `guaranteed` says whether there were enough of them for a threshold of their own; where there
    were not, the bin has the next lower one's, or the last guaranteed one's raised by the slope.
    """

    start: int
    end: int
    rows: int
    threshold: float
    guaranteed: bool


def request_thresholds(scores: ArrayLike, reads: ArrayLike, fpr: float) -> tuple[Steps, list[Bin]]:
    """Steps for requests with highest `scores` (n,) over `reads` (n,) windows, and their bins.

    Thresholds never fall with length: what a shorter request may not reach, a longer one may not
    be blocked for less. Raises TooFewRowsError where no bin has enough rows.
    """
    highest = np.asarray(scores, dtype=np.float32)
    read = np.asarray(reads, dtype=np.int64)
    edges = _edges(read)
    bins: list[Bin] = []
    for start, end in pairwise(edges):
        inside = highest[(read >= start) & (read < end)]
        own = _threshold(inside, fpr)
        last = bins[-1].threshold if bins else 0.0
        value = max(own if own is not None else _carried(bins), last)
        bins.append(Bin(int(start), int(end) - 1, len(inside), value, own is not None))
    if not any(bin_.guaranteed for bin_ in bins):
        raise TooFewRowsError(f"no length has the {int(np.ceil(1 / fpr)) - 1} requests it needs")
    return _steps(bins), bins


def _edges(reads: NDArray[np.int64]) -> list[int]:
    """1, 2, 4, … up to the first power of two beyond the longest request."""
    edges = [1, 2]
    while edges[-1] <= int(reads.max(initial=1)):
        edges.append(2 * edges[-1])
    return edges


def _threshold(scores: NDArray[np.float32], fpr: float) -> float | None:
    try:
        return conformal_threshold(scores, fpr)
    except TooFewRowsError:
        return None


def _carried(bins: list[Bin]) -> float:
    """What stands in for a bin with too few rows: the mean rise from bin to bin goes on.

    The highest of 2n scores is at least as high as that of n, so without it long requests would be
    judged by the threshold of shorter ones.
    """
    known = [bin_.threshold for bin_ in bins if bin_.guaranteed]
    if not known:
        return 0.0
    odds = np.log(np.array(known)) - np.log1p(-np.minimum(known, 1 - 1e-7))  # (bins,), log odds
    rise = float((odds[-1] - odds[0]) / max(1, len(odds) - 1))
    steps = len(_tail(bins)) + 1  # bins since the last that had rows enough
    return float(1 / (1 + np.exp(-(odds[-1] + steps * max(0.0, rise)))))


def _tail(bins: list[Bin]) -> list[Bin]:
    last = max(index for index, bin_ in enumerate(bins) if bin_.guaranteed)
    return bins[last + 1 :]


def _steps(bins: list[Bin]) -> Steps:
    """One step where the threshold changes; the first begins at one window."""
    starts, values = [1], [_first(bins)]
    for bin_ in bins:
        if bin_.threshold > values[-1]:
            starts.append(bin_.start)
            values.append(bin_.threshold)
    return Steps(tuple(starts), tuple(values))


def _first(bins: list[Bin]) -> float:
    """The threshold of the shortest requests; of a bin without rows the first that has some."""
    return next(bin_.threshold for bin_ in bins if bin_.threshold > 0)
