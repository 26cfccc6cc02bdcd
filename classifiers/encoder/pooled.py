"""The torch modules that are exported as encoders: transformer, pooling, unit length."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from classifiers.encoder.blocks import BlockPooling, EncoderBlock


class PooledEncoder(nn.Module):
    """Token ids and mask, both (batch, length), to features (batch, width) of unit length."""

    def __init__(self, backbone: nn.Module, pooling: Literal["mean", "cls"]) -> None:
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.backbone(input_ids=input_ids, attention_mask=attention_mask)
        hidden: Tensor = states.last_hidden_state  # (batch, length, width)
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        return nn.functional.normalize(pooled, dim=1)


class BlockEncoder(nn.Module):
    """As `PooledEncoder`, with a block of features for each layer and pooling.

    Each block has unit length before the row is scaled to unit length, so that no layer drowns
    the others and the dot product of two rows is the mean of their blocks' cosines.
    """

    def __init__(self, backbone: nn.Module, blocks: Sequence[EncoderBlock]) -> None:
        super().__init__()
        self.backbone = backbone
        self.blocks = tuple(blocks)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.backbone(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        ).hidden_states
        mask = attention_mask.unsqueeze(-1)
        pooled = [_pool(states[block.layer], mask, block.pooling) for block in self.blocks]
        rows = torch.cat([nn.functional.normalize(block, dim=1) for block in pooled], dim=1)
        return nn.functional.normalize(rows, dim=1)


def _pool(hidden: Tensor, mask: Tensor, pooling: BlockPooling) -> Tensor:
    """States (batch, length, width) and mask (batch, length, 1) to (batch, width)."""
    if pooling == "first":
        return hidden[:, 0]
    if pooling == "max":
        lowest = torch.finfo(hidden.dtype).min
        return hidden.masked_fill(mask == 0, lowest).amax(1)
    weights = mask.to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
