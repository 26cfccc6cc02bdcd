"""A fake objective with a known optimum, and a tiny search space."""

import math
import threading
from dataclasses import dataclass, field

from classifiers.corruption.search_space import SearchSpace
from classifiers.corruption.trace import Evaluation, Stage
from guard.corruption.functions import Corruption

SPACE = SearchSpace(width=128, deviation=0.06)
BEST = SPACE.corruption("rand_noise_top_k", 24, 2.5)


def away(corruption: Corruption) -> float:
    """How far from `BEST`: 0 there, about 1 for half the dimensions or half the strength."""
    dims = abs(math.log2(corruption.dims / BEST.dims))
    if not corruption.is_noise:
        return 4 + dims / 4
    kind = 0.0 if corruption.kind == BEST.kind else 1.2
    ratio = abs(math.log2(SPACE.ratio(corruption) / SPACE.ratio(BEST)))
    return math.hypot(dims / 3, ratio, kind)


@dataclass
class KnownOptimum:
    """Measures `away`; `staged` says that all questions are more than the search's.

    After `dies_after` measurements it fails, as a server may.
    """

    is_staged: bool = True
    shift: float = 0.0
    dies_after: int | None = None
    measured: list[tuple[Stage, Corruption]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, stage: Stage, corruption: Corruption) -> Evaluation:
        with self.lock:
            if self.dies_after is not None and len(self.measured) >= self.dies_after:
                raise ConnectionError("gone")
            self.measured.append((stage, corruption))
        distance = away(corruption) + (self.shift if stage == "full" else 0.0)
        return Evaluation(stage, corruption, {"rouge": distance / 10}, distance, 0.0, 7)
