"""The corruptions that a search may try: a kind, so many dimensions, and how strong.

Strength is searched as the noise's norm over an embedding's (σ √dims / (s √width), s the table's
standard deviation), on a logarithmic scale: noise that hides as much then lies at the same place,
whether it falls on one dimension or on all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from guard.corruption.embedding_table import EmbeddingTable
from guard.corruption.functions import Corruption
from guard.terms.corruption import CORRUPTION_KINDS, CorruptionKind
from guard.terms.errors import ConfigError

if TYPE_CHECKING:
    from nevergrad.parametrization.parameter import Instrumentation

LEAST_RATIO, MOST_RATIO = 0.1, 100.0
"""Noise below the first changes no answer; above the second the first layer's norm sees noise
alone, so that more changes nothing."""
DIGITS = 3
SAMPLED_ROWS = 4096


@dataclass(frozen=True, slots=True)
class SearchSpace:
    """`width` is the hidden size, `deviation` the standard deviation of the table's entries."""

    width: int
    deviation: float
    kinds: tuple[CorruptionKind, ...] = CORRUPTION_KINDS

    @classmethod
    def of(cls, table: EmbeddingTable, kinds: Sequence[str] = CORRUPTION_KINDS) -> Self:
        """The space of a model's table; raises ConfigError for a kind that there is not."""
        known: dict[str, CorruptionKind] = {kind: kind for kind in CORRUPTION_KINDS}
        unknown = [kind for kind in kinds if kind not in known]
        if unknown or not kinds:
            shown = ", ".join(unknown) or "none"
            raise ConfigError(f"kinds: {shown}: expected some of {', '.join(CORRUPTION_KINDS)}")
        rows = np.linspace(0, table.vocabulary_size - 1, SAMPLED_ROWS).astype(np.int64)
        deviation = float(table.rows(np.unique(rows)).astype(np.float32).std())
        return cls(table.width, deviation, tuple(known[kind] for kind in kinds))

    def parametrization(self, seed: int) -> "Instrumentation":
        """nevergrad's view of it, with its own random state."""
        import nevergrad

        parameter = nevergrad.p
        dims: Any = 1  # a logarithmic range must not be empty
        if self.width > 1:
            dims = parameter.Log(lower=1, upper=self.width).set_integer_casting()
        ratio = parameter.Log(lower=LEAST_RATIO, upper=MOST_RATIO)
        kinds: Any = parameter.Choice(list(self.kinds)) if len(self.kinds) > 1 else self.kinds[0]
        space = parameter.Instrumentation(kind=kinds, dims=dims, ratio=ratio)
        space.random_state.seed(seed)
        return space

    def corruption(self, kind: CorruptionKind, dims: int, ratio: float) -> Corruption:
        """The corruption at a point; strengths are rounded, so that equal ones are measured once.

        `ratio` is ignored by kinds without noise.
        """
        dims = min(max(dims, 1), self.width)
        if not kind.startswith("rand_noise"):
            return Corruption(kind, dims)
        strength = ratio * self.deviation * math.sqrt(self.width / dims)
        return Corruption(kind, dims, float(f"{strength:.{DIGITS}g}"))

    def ratio(self, corruption: Corruption) -> float:
        """Where on the scale of strengths a corruption lies."""
        rows = self.deviation * math.sqrt(self.width)
        return corruption.strength * math.sqrt(corruption.dims) / rows
