"""How well a model knows texts: what it says greedily when the right words stand before."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.test_models.batches import batch_pieces, predict
from lab.test_models.conversation import Pieces

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

_TEXTS, _TOKENS = 64, 8192  # of one batch


@dataclass(frozen=True, slots=True)
class Recall:
    """`whole`: share of texts said without a wrong token, which is what greedy decoding gives;
    `tokens`: share of right tokens; `loss`: mean over tokens, in nats."""

    whole: float
    tokens: float
    loss: float


def measure(
    model: "LlamaForCausalLM", tokenizer: "PreTrainedTokenizerFast", texts: Iterable[Pieces]
) -> Recall:
    """The recall of one or more texts, over their pieces to be predicted."""
    import torch

    model.eval()
    whole = count = right = total = 0
    loss = 0.0
    with torch.no_grad():
        for batch in batch_pieces(iter(texts), tokenizer, _TEXTS, _TOKENS):
            logits, targets = predict(model, batch)
            wrong = (logits.argmax(-1) != targets).numpy()
            owner = np.nonzero(batch.answers[:, 1:])[0]
            whole += len(batch.ids) - len(np.unique(owner[wrong]))
            count += len(batch.ids)
            right, total = right + int((~wrong).sum()), total + len(wrong)
            loss += float(torch.nn.functional.cross_entropy(logits, targets, reduction="sum"))
    return Recall(whole / count, right / total, loss / total)
