"""The torch module that is exported as an encoder: transformer, pooling, unit length."""

from typing import Literal

from torch import Tensor, nn


class PooledEncoder(nn.Module):
    """Token ids and mask, both (batch, length), to features (batch, width) of unit length."""

    def __init__(
        self, backbone: nn.Module, pooling: Literal["mean", "cls"], layer: int | None = None
    ) -> None:
        """`layer` is the hidden layer to read: 0 is the embeddings, None the model's output."""
        super().__init__()
        self.backbone = backbone
        self.pooling = pooling
        self.layer = layer

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self._hidden(input_ids, attention_mask)  # (batch, length, width)
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            # The mean over real tokens: padding has weight 0.
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)
        return nn.functional.normalize(pooled, dim=1)

    def _hidden(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        asked = {"input_ids": input_ids, "attention_mask": attention_mask}
        if self.layer is None:
            output: Tensor = self.backbone(**asked).last_hidden_state
            return output
        layers: tuple[Tensor, ...] = self.backbone(**asked, output_hidden_states=True).hidden_states
        return layers[self.layer]
