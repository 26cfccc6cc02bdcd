"""What fine-tuning minimises: cross entropy, and the order of the two classes."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SMOOTHING = 0.05
"""How far labels are moved towards each other: some of them are wrong."""
RANKING = 0.3
"""Weight of the order's part beside the cross entropy."""


def window_loss(
    logits: "Tensor", labels: "Tensor", weights: "Tensor", smoothing: float = SMOOTHING
) -> "Tensor":
    """Weighted cross entropy, plus RANKING times a smooth AUROC; the tensors are all (n,).

    The second part is the pairwise logistic loss of malicious rows above benign ones: it looks at
    the order of the classes alone, which is what a threshold is chosen on.
    """
    from torch.nn import functional

    targets = labels * (1 - 2 * smoothing) + smoothing
    rows = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    margins = logits[:, None] - logits[None, :]  # (n, n): row i above row j
    # Only pairs of a malicious i and a benign j count. A weight of 0 does that, where choosing rows
    # would make a GPU wait for the processor to know how many there are.
    pairs = (weights * labels)[:, None] * (weights * (1 - labels))[None, :]
    order = (pairs * functional.softplus(-margins)).sum() / pairs.sum().clamp(min=1e-12)
    return (weights * rows).mean() + RANKING * order
