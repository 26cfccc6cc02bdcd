"""Batches of training text, what a model predicts on them, weights as a checkpoint holds them."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lab.test_models.conversation import Pieces

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

Encoded = tuple[list[int], list[bool]]

_POOL = 16
"""Batches drawn together and cut by length, so that little of a batch is padding."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids, shape (conversations, tokens), padded on the right; `answers` marks the tokens to
    be predicted."""

    ids: NDArray[np.int64]
    answers: NDArray[np.bool_]


def batch_pieces(
    stream: Iterator[Pieces], tokenizer: "PreTrainedTokenizerFast", size: int, tokens: int = 0
) -> Iterator[Batch]:
    """Batches of up to `size` texts of about one length; with `tokens`, of at most so many tokens,
    padding included, where more than one text is in it.
    """
    while pool := list(itertools.islice(stream, size * _POOL)):
        encoded = sorted(_encode(pool, tokenizer), key=lambda pair: len(pair[0]))
        cut = list(_cut(encoded, size, tokens))
        yield from (_pad(cut[index]) for index in _interleave(len(cut)))


def _cut(encoded: Sequence[Encoded], size: int, tokens: int) -> Iterator[Sequence[Encoded]]:
    """Cuts texts sorted by length, short ones first."""
    start = 0
    for end in range(1, len(encoded) + 1):
        if end < len(encoded):
            longest = len(encoded[end][0])
            fits = not tokens or longest * (end + 1 - start) <= tokens
            if fits and end - start < size:
                continue
        yield encoded[start:end]
        start = end


def _interleave(count: int) -> Sequence[int]:
    """Long and short batches by turns."""
    return sorted(range(count), key=lambda index: (index * 7) % 16)


def _encode(texts: Sequence[Pieces], tokenizer: "PreTrainedTokenizerFast") -> list[Encoded]:
    flat = [piece for pieces in texts for piece, _ in pieces]
    pieces_ids = iter(tokenizer(flat, add_special_tokens=False)["input_ids"])
    encoded = []
    for pieces in texts:
        ids: list[int] = []
        answers: list[bool] = []
        for (_, spoken), piece in zip(pieces, pieces_ids):  # noqa: B905 (shared iterator)
            ids += piece
            answers += [spoken] * len(piece)
        encoded.append((ids, answers))
    return encoded


def _pad(encoded: Sequence[Encoded]) -> Batch:
    shape = (len(encoded), max(len(ids) for ids, _ in encoded))
    batch = Batch(np.zeros(shape, np.int64), np.zeros(shape, np.bool_))
    for row, (ids, answers) in enumerate(encoded):
        batch.ids[row, : len(ids)] = ids
        batch.answers[row, : len(ids)] = answers
    return batch


def predict(model: "LlamaForCausalLM", batch: Batch) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Logits, shape (answer tokens, vocabulary), and the answer tokens they should give."""
    import torch

    ids = torch.from_numpy(batch.ids)
    answers = torch.from_numpy(batch.answers[:, 1:])
    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    return model.lm_head(hidden[answers]), ids[:, 1:][answers]


def rounded_weights(model: "LlamaForCausalLM") -> "LlamaForCausalLM":
    """The model with its weights as the checkpoint will hold them, still float32 for speed."""
    import torch

    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(weights.to(torch.bfloat16).float())
    return model
