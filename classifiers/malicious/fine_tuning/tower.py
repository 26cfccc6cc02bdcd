"""The torch module that is fine-tuned and exported: frozen encoder, tuned upper layers, two heads.

The lower layers are shared and frozen, so their token states are computed once for all rows. The
upper layers exist twice: tuned ones, and the pretrained ones under a linear head. The two err on
different sources, and their sum keeps more of what the encoder knew than tuning alone.

A window is judged by its worst part: both heads score the pooled states of the whole window and of
overlapping segments of it, and the highest sum counts. Harmless text around an attack then
dilutes the whole, but not the segment that holds it.
"""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

FROZEN_LAYERS = 3
"""Of MiniLM's six: frozen layers halve the cost and keep the delta small."""
POOLS = 2
"""Mean and maximum over tokens."""
SEGMENT = 32
"""Tokens of a segment; a new one starts after each half."""
_HIDDEN = 1e4
"""Taken from what must not be a maximum."""


class Tower(nn.Module):
    """Token ids and mask (batch, length) to the log odds of malicious, (batch, 1)."""

    def __init__(
        self,
        backbone: Any,
        frozen: int = FROZEN_LAYERS,
        dropout: float = 0.1,
        segment: int = SEGMENT,
        anchor_layer: int | None = None,
    ) -> None:
        """`backbone` is a BertModel; layers above the first `frozen` are tuned as copies.

        `segment` is an even number of tokens, 0 to judge whole windows alone. The anchor reads the
        states of the frozen `anchor_layer`, which cost nothing more; None: of the whole pretrained
        encoder.
        """
        super().__init__()
        if anchor_layer is not None and not 0 < anchor_layer <= frozen:
            raise ValueError(f"anchor_layer: expected 1 to {frozen}, found {anchor_layer}")
        self.anchor_layer = anchor_layer
        if segment % 2 or segment < 0:
            raise ValueError(f"segment: expected an even number of tokens, found {segment}")
        self.segment = segment
        width = backbone.config.hidden_size
        self.width: int = width
        self.frozen = frozen
        self.backbone = backbone.requires_grad_(False)
        self.upper = deepcopy(backbone.encoder.layer[frozen:]).requires_grad_(True)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(POOLS * width, 1)
        nn.init.zeros_(self.head.bias)
        nn.init.normal_(self.head.weight, std=0.01)
        self.anchor = nn.Linear(width, 1).requires_grad_(False)
        nn.init.zeros_(self.anchor.weight)
        nn.init.zeros_(self.anchor.bias)
        self.anchored = False

    def train(self, mode: bool = True) -> "Tower":
        """Training mode for what is tuned; the frozen part never drops anything.

        An anchor without weights is left out of the graph from here on, with the layers that only
        it needs: an export cannot look at weights.
        """
        super().train(mode)
        self.backbone.eval()
        self.anchored = bool(self.anchor.weight.any())
        return self

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits (batch, 1) of both heads together, as exported."""
        if self.anchored and self.anchor_layer is not None:
            return self._shallow_forward(input_ids, attention_mask)
        if self.anchored:
            return self.anchored_forward(input_ids, attention_mask)[0]
        return _highest(*self.pool_logits(self.lower(input_ids, attention_mask), attention_mask))

    def anchored_forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch, 1), and the pretrained encoder's mean-pooled features of unit length,
        (batch, width), which the anchor needs in any case."""
        states = self.lower(input_ids, attention_mask)
        logits, pools = self.pool_logits(states, attention_mask)
        features, _ = self.frozen_features(states, attention_mask)
        logits = logits + self.anchor(features)[..., 0]
        return _highest(logits, pools), functional.normalize(features[:, 0], dim=1)

    def _shallow_forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits (batch, 1) with an anchor on the states of a frozen layer."""
        states, features = self.lower_with_features(input_ids, attention_mask)
        logits, pools = self.pool_logits(states, attention_mask)
        return _highest(logits + self.anchor(features)[..., 0], pools)

    def lower_with_features(
        self, input_ids: Tensor, attention_mask: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The shared layers' token states (batch, length, width), and the mean-pooled features
        that the anchor reads, (batch, pools, width)."""
        if self.anchor_layer is None:
            states = self.lower(input_ids, attention_mask)
            return states, self.frozen_features(states, attention_mask)[0]
        layers = self.backbone.encoder.layer
        hidden = self.backbone.embeddings(input_ids=input_ids)  # (batch, length, width)
        shallow = _through(layers[: self.anchor_layer], hidden, attention_mask)
        states = _through(layers[self.anchor_layer : self.frozen], shallow, attention_mask)
        return states, _pooled(shallow, attention_mask, self.segment)[0]

    def lower(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The shared layers' token states (batch, length, width)."""
        hidden = self.backbone.embeddings(input_ids=input_ids)
        return _through(self.backbone.encoder.layer[: self.frozen], hidden, attention_mask)

    def frozen_features(self, states: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """The pretrained encoder's mean-pooled features (batch, pools, width), and which pools
        there are, (batch, pools): the whole window, then its segments."""
        hidden = _through(self.backbone.encoder.layer[self.frozen :], states, attention_mask)
        means, _, pools = _pooled(hidden, attention_mask, self.segment)
        return means, pools

    def pool_logits(self, states: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """The tuned head's logit of each pool from the shared layers' token states, and which
        pools there are, both (batch, pools)."""
        features, pools = self._features(states, attention_mask)
        logits: Tensor = self.head(features)
        return logits[..., 0], pools

    def judged(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        """The tuned head's highest logit of each window, (batch,)."""
        return _highest(*self.pool_logits(states, attention_mask))[:, 0]

    def _features(self, states: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """What the tuned head sees of each pool, (batch, pools, POOLS * width)."""
        hidden = _through(self.upper, states, attention_mask)  # (batch, length, width)
        means, maxima, pools = _pooled(hidden, attention_mask, self.segment)
        return self.dropout(torch.cat([means, maxima], dim=2)), pools

    def delta(self) -> dict[str, Tensor]:
        """What training gave: the tuned layers' and the heads' tensors."""
        parts = ("upper.", "head.", "anchor.")
        return {name: t for name, t in self.state_dict().items() if name.startswith(parts)}

    def apply_delta(self, delta: Mapping[str, Tensor]) -> None:
        """Put a delta in place; ValueError where its tensors are not this tower's."""
        expected = self.delta()
        shapes = {name: tensor.shape for name, tensor in expected.items()}
        if shapes != {name: tensor.shape for name, tensor in delta.items()}:
            raise ValueError("delta: its tensors do not fit this tower")
        for name, tensor in delta.items():
            expected[name].copy_(tensor)


class TunedPart(nn.Module):
    """What training changes of a tower, and no more: it alone is moved to a GPU and checkpointed.

    Its modules are the tower's own, so that what they learn the tower knows.
    """

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.upper, self.head, self.dropout = tower.upper, tower.head, tower.dropout
        self._judged = tower.judged  # a method is no module: the frozen layers are not registered

    def forward(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        """The tower's `judged`."""
        return self._judged(states, attention_mask)


class TowerWithFeatures(nn.Module):
    """An anchored tower to be exported with the features that it computes on its way."""

    def __init__(self, tower: Tower) -> None:
        super().__init__()
        self.tower = tower

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, Tensor]:
        """The tower's `anchored_forward`."""
        return self.tower.anchored_forward(input_ids, attention_mask)


def load_tower(
    folder: Path,
    frozen: int = FROZEN_LAYERS,
    segment: int = SEGMENT,
    anchor_layer: int | None = None,
) -> Tower:
    """The tower on the pretrained encoder in `folder`, its heads untrained."""
    from transformers import AutoModel

    # The pooler of BERT is not used, and not every encoder has one: it would be drawn at random.
    backbone = AutoModel.from_pretrained(
        folder, local_files_only=True, dtype="float32", add_pooling_layer=False
    )
    return Tower(backbone, frozen, segment=segment, anchor_layer=anchor_layer)


def pool_counts(lengths: NDArray[np.int64], segment: int) -> NDArray[np.int64]:
    """How many pools windows of so many tokens have: the whole, and the segments.

    A segment starts after each half of one, as long as it holds a token that the one before
    does not.
    """
    if not segment:
        return np.ones_like(lengths)
    half = segment // 2
    return 1 + np.maximum(1, -(-(lengths - half) // half))


def _through(layers: Any, hidden: Tensor, attention_mask: Tensor) -> Tensor:
    # (batch, 1, 1, length), broadcast over heads and queries: 0 for a token, lowest for padding.
    unseen = 1 - attention_mask[:, None, None, :].to(hidden.dtype)
    mask = unseen * torch.finfo(hidden.dtype).min
    for layer in layers:
        hidden = layer(hidden, mask)
    return hidden


def _pooled(hidden: Tensor, attention_mask: Tensor, segment: int) -> tuple[Tensor, Tensor, Tensor]:
    """Means and maxima (batch, pools, width), and which pools exist (batch, pools)."""
    seen = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (batch, length, 1)
    masked, low = hidden * seen, hidden - _HIDDEN * (1 - seen)
    mean = masked.sum(1, keepdim=True) / seen.sum(1, keepdim=True).clamp(min=1)
    highest, whole = low.amax(1, keepdim=True), torch.ones_like(seen[:, :1, 0])
    if not segment:
        return mean, highest, whole
    counts = _segments(seen, segment, "sum")
    means = _segments(masked, segment, "sum") / counts.clamp(min=1)
    maxima = _segments(low, segment, "max")
    # The first segment always counts; a later one if it goes beyond the one before.
    first = torch.zeros_like(counts)
    first[:, :1] = 1
    pools = torch.maximum((counts > segment // 2).to(first.dtype), first)[..., 0]
    # What does not exist is 0, not far below it: int8 scales a head's inputs by their range.
    maxima = maxima * pools.unsqueeze(-1)
    return (
        torch.cat([mean, means], dim=1),
        torch.cat([highest, maxima], dim=1),
        torch.cat([whole, pools], dim=1),
    )


def _segments(values: Tensor, segment: int, how: str) -> Tensor:
    """Sums or maxima (batch, segments, width) over overlapping segments of (batch, length, width).

    Every window begins with a segment, and another one starts after each half of one.
    """
    low = 0.0 if how == "sum" else -_HIDDEN
    # Enough for two segments of any window: a graph is not exported right where one may be alone.
    more = segment + segment // 2 - 1
    padded = functional.pad(values.transpose(1, 2), (0, more), value=low)
    if how == "max":
        # In two dimensions: torch.export fixes the length that max_pool1d sees.
        stacked = padded.unsqueeze(-1)
        pooled = functional.max_pool2d(stacked, (segment, 1), (segment // 2, 1))[..., 0]
    else:
        pooled = functional.avg_pool1d(padded, segment, segment // 2) * segment
    return pooled.transpose(1, 2)


def _highest(logits: Tensor, pools: Tensor) -> Tensor:
    """The highest logit (batch, 1) of the pools that exist."""
    return (logits - _HIDDEN * (1 - pools)).amax(1, keepdim=True)
