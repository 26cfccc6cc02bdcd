"""The torch module that is fine-tuned and exported: frozen encoder, tuned upper layers, two heads.

The lower layers are shared and frozen, so their token states are computed once for all rows. The
upper layers exist twice: tuned ones, and the pretrained ones under a linear head. The two err on
different sources, and their sum keeps more of what the encoder knew than tuning alone.
"""

from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

FROZEN_LAYERS = 3
"""Of MiniLM's six: frozen layers halve the cost and keep the delta small."""
POOLS = 2
"""Mean and maximum over tokens."""


class Tower(nn.Module):
    """Token ids and mask (batch, length) to the log odds of malicious, (batch, 1)."""

    def __init__(self, backbone: Any, frozen: int = FROZEN_LAYERS, dropout: float = 0.1) -> None:
        """`backbone` is a BertModel; layers above the first `frozen` are tuned as copies."""
        super().__init__()
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

    def train(self, mode: bool = True) -> "Tower":
        """Training mode for what is tuned; the frozen part never drops anything."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Logits (batch, 1) of both heads together, as exported."""
        states = self.lower(input_ids, attention_mask)
        features = self.frozen_features(states, attention_mask)
        logits: Tensor = self.from_states(states, attention_mask) + self.anchor(features)
        return logits

    def lower(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """The shared layers' token states (batch, length, width)."""
        hidden = self.backbone.embeddings(input_ids=input_ids)
        return _through(self.backbone.encoder.layer[: self.frozen], hidden, attention_mask)

    def frozen_features(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        """The pretrained encoder's mean-pooled features (batch, width)."""
        hidden = _through(self.backbone.encoder.layer[self.frozen :], states, attention_mask)
        return _mean(hidden, attention_mask)

    def from_states(self, states: Tensor, attention_mask: Tensor) -> Tensor:
        """The tuned head's logits (batch, 1) from the shared layers' token states."""
        hidden = _through(self.upper, states, attention_mask)
        unseen = 1 - attention_mask.unsqueeze(-1).to(hidden.dtype)
        pooled = [_mean(hidden, attention_mask), (hidden - 1e4 * unseen).amax(1)]
        logits: Tensor = self.head(self.dropout(torch.cat(pooled, dim=1)))
        return logits

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


def load_tower(folder: Path, frozen: int = FROZEN_LAYERS) -> Tower:
    """The tower on the pretrained encoder in `folder`, its heads untrained."""
    from transformers import AutoModel

    backbone = AutoModel.from_pretrained(folder, local_files_only=True, dtype="float32")
    return Tower(backbone, frozen)


def _through(layers: Any, hidden: Tensor, attention_mask: Tensor) -> Tensor:
    unseen = 1 - attention_mask[:, None, None, :].to(hidden.dtype)
    mask = unseen * torch.finfo(hidden.dtype).min
    for layer in layers:
        hidden = layer(hidden, mask)
    return hidden


def _mean(hidden: Tensor, attention_mask: Tensor) -> Tensor:
    weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
