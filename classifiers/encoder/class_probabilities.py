"""The torch module that is exported as a classifier: transformer, head, probabilities."""

from torch import Tensor, nn


class ClassProbabilities(nn.Module):
    """Token ids and mask, both (batch, length), to probabilities (batch, classes)."""

    def __init__(self, classifier: nn.Module, *, multi_label: bool) -> None:
        super().__init__()
        self.classifier = classifier
        self.multi_label = multi_label

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.classifier(input_ids=input_ids, attention_mask=attention_mask).logits
        return logits.sigmoid() if self.multi_label else logits.softmax(dim=-1)
