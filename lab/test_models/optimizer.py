"""Muon, and a schedule that is a function of the step: both can stop and go on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM

_ROUNDS = 5
_QUINTIC = (3.4445, -4.7750, 2.0315)
_RISE = 0.1
"""Share of the steps in which the learning rate rises."""


def rate_at(step: int, steps: int, peak: float) -> float:
    """A linear rise to `peak`, then a linear fall to zero at `steps`."""
    rise = max(1, int(_RISE * steps))
    return peak * min((step + 1) / rise, (steps - step) / max(1, steps - rise))


def split_weights(
    model: "LlamaForCausalLM",
) -> tuple[list["torch.nn.Parameter"], list["torch.nn.Parameter"]]:
    """Matrices of the layers, for Muon; embeddings, head and norms, for AdamW."""
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, weights in model.named_parameters():
        (matrices if weights.dim() == 2 and ".layers." in name else others).append(weights)
    return matrices, others


class Muon:
    """Momentum whose steps are made orthogonal, for weight matrices (Jordan et al. 2024,
    https://kellerjordan.github.io/posts/muon/; scaled as in arXiv 2502.16982, section 2.2).

    It learns rare facts in fewer rounds than AdamW. torch's own rounds to bfloat16, which many
    processors only emulate; this one stays in float32.
    """

    def __init__(
        self, weights: Sequence["torch.nn.Parameter"], momentum: float = 0.95, decay: float = 0.1
    ) -> None:
        import torch

        self._weights = weights
        self._momentum = momentum
        self._decay = decay
        self.buffers = [torch.zeros_like(matrix) for matrix in weights]

    def step(self, rate: float) -> None:
        import torch

        with torch.no_grad():
            for matrix, buffer in zip(self._weights, self.buffers, strict=True):
                slope = matrix.grad
                if slope is None:
                    continue
                buffer.lerp_(slope, 1 - self._momentum)
                update = orthogonal(slope.lerp(buffer, self._momentum))
                matrix.mul_(1 - rate * self._decay)
                matrix.add_(update, alpha=-0.2 * max(matrix.shape) ** 0.5 * rate)


def orthogonal(matrix: "torch.Tensor") -> "torch.Tensor":
    """About the nearest matrix whose singular values are all 1 (between 0.7 and 1.2), by five
    Newton-Schulz rounds of a quintic polynomial."""
    import torch

    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    found: torch.Tensor = wide / (wide.norm() + 1e-7)
    linear, cubic, quintic = _QUINTIC
    for _ in range(_ROUNDS):
        square = found @ found.T
        mixed = torch.addmm(square, square, square, beta=cubic, alpha=quintic)
        found = torch.addmm(found, mixed, found, beta=linear)
    return found if matrix.shape[0] <= matrix.shape[1] else found.T
