"""Early-learning regularisation: a running memory of early predictions resists wrong labels.

Liu et al., 2020 (arXiv 2007.00151), with targets kept by row id, so that shuffling and resuming
change nothing.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST = 1e-4


class EarlyLearning:
    """Targets t (rows, 2), from zero: t <- memory t + (1 - memory) p, by row id."""

    def __init__(
        self, ids: Sequence[str], memory: float, strength: float, classes: int = 2
    ) -> None:
        """`memory` is beta, `strength` is lambda in the paper's words."""
        self.memory = memory
        self.strength = strength
        self._rows = {name: row for row, name in enumerate(ids)}
        if len(self._rows) != len(ids):
            raise ValueError("ids: two rows share one")
        self._targets = np.zeros((len(ids), classes), dtype=np.float32)

    def penalty(self, logits: "Tensor", ids: Sequence[str]) -> "Tensor":
        """lambda * mean log(1 - <p, t>) of a batch, after its targets have moved; a scalar.

        The gradient flows through p alone.
        """
        import torch

        rows = [self._rows[name] for name in ids]
        p = torch.softmax(logits, dim=1).clamp(SMALLEST, 1 - SMALLEST)
        early = p.detach() / p.detach().sum(dim=1, keepdim=True)
        moved = self.memory * self._targets[rows] + (1 - self.memory) * early.numpy()
        self._targets[rows] = moved
        agreement = (p * torch.from_numpy(moved)).sum(dim=1)
        return self.strength * torch.log(1 - agreement).mean()

    def target(self, name: str) -> NDArray[np.float32]:
        """A row's target, shape (classes,)."""
        target: NDArray[np.float32] = self._targets[self._rows[name]].copy()
        return target

    def state(self) -> dict[str, NDArray[np.float32]]:
        """Targets by row id: all that resuming needs."""
        return {name: self._targets[row].copy() for name, row in self._rows.items()}

    def resume(self, state: dict[str, NDArray[np.float32]]) -> Self:
        """Take over the targets of a former run for the ids that both know."""
        for name in self._rows.keys() & state.keys():
            self._targets[self._rows[name]] = state[name]
        return self
