"""The torch module that is exported as an encoder: transformer, pooling, unit length."""

from typing import Literal

from torch import Tensor, nn


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
