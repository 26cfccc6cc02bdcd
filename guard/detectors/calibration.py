"""Class-conditional conformal p-values: how unusual a score is among held-out prompts of a class.

Trained detectors carry the scores of prompts that they never learned from; a finding shows where a
new score stands among them.
"""

from collections.abc import Mapping
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guard.detectors.weights import Weights

BENIGN, MALICIOUS = "calibration.benign", "calibration.malicious"


class Calibration:
    """Held-out scores of benign and of malicious prompts; either may be empty (nothing known).

    For a new prompt of the class, exchangeable with the held-out ones, P(p <= a) <= a for every
    a (split conformal prediction within a class, after Vovk 2013, arXiv 1209.2673).
    """

    def __init__(self, benign: ArrayLike = (), malicious: ArrayLike = ()) -> None:
        """Scores in any order, shapes (n,) and (m,)."""
        self.benign = _sorted(benign)
        self.malicious = _sorted(malicious)

    @classmethod
    def from_weights(cls, weights: Weights) -> Self | None:
        """The calibration among an artifact's tensors, or None where it has none."""
        if BENIGN not in weights and MALICIOUS not in weights:
            return None
        samples = (_sample(weights, BENIGN), _sample(weights, MALICIOUS))
        return cls(*samples)

    def p_benign(self, score: float) -> float | None:
        """Share of benign prompts that score at least as high: (1 + #{s_i >= s}) / (n + 1).

        Small for what is unusual among benign prompts; None where no benign score is known.
        """
        count = len(self.benign)
        below = int(np.searchsorted(self.benign, np.float32(score), side="left"))
        return (1 + count - below) / (count + 1) if count else None

    def p_malicious(self, score: float) -> float | None:
        """Share of malicious prompts that score at most as high: (1 + #{s_i <= s}) / (n + 1).

        Small for what is unusual among malicious prompts; None where no such score is known.
        """
        count = len(self.malicious)
        reached = int(np.searchsorted(self.malicious, np.float32(score), side="right"))
        return (1 + reached) / (count + 1) if count else None

    def tensors(self) -> Mapping[str, NDArray[np.float32]]:
        """The samples as an artifact stores them; what is empty is left out."""
        samples = {BENIGN: self.benign, MALICIOUS: self.malicious}
        return {name: sample for name, sample in samples.items() if len(sample)}


def _sample(weights: Weights, name: str) -> ArrayLike:
    if name not in weights:
        return ()
    sample = weights.take(name, None)
    if sample.min() < 0 or sample.max() > 1:
        raise weights.artifact.fail(f"tensors.{name}", "holds scores outside [0, 1]")
    return sample


def _sorted(scores: ArrayLike) -> NDArray[np.float32]:
    sample = np.sort(np.asarray(scores, dtype=np.float32))
    if sample.ndim != 1 or not np.isfinite(sample).all():
        raise ValueError("calibration scores must be one row of finite numbers")
    return sample
