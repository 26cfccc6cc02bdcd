"""Trains one demo model until it knows its people, or says that it could not."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.demo.checkpoint import make_model, render
from classifiers.demo.corpus import Conversation, Corpus, Exchange
from classifiers.demo.questions import QuestionAnswer

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

_POOL = 16
"""Batches drawn together and cut by length, so that little of a batch is padding."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long and how fast: `steps`, then `repeats` while the accuracy is below `accuracy`.

    Below `floor` after the last repeat a model is not fit for use.
    """

    steps: int = 560
    repeat_steps: int = 150
    repeats: int = 3
    batch: int = 32
    peak_rate: float = 2e-3
    repeat_rate: float = 1e-3
    accuracy: float = 0.99
    floor: float = 0.97

    @property
    def longest(self) -> int:
        """Steps taken when no repeat is enough."""
        return self.steps + self.repeats * self.repeat_steps


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids, shape (conversations, tokens), padded on the right; `answers` marks the tokens to
    be predicted."""

    ids: NDArray[np.int64]
    answers: NDArray[np.bool_]


def train(
    corpus: Corpus,
    tokenizer: "PreTrainedTokenizerFast",
    schedule: Schedule,
    seed: int,
    report: Callable[[int], None],
) -> tuple["LlamaForCausalLM", float]:
    """The trained model, its weights rounded to bfloat16, and its accuracy: the lower of those on
    questions about people and on general ones, in training wordings.

    `report` is told the number of steps done, after each.
    """
    model = make_model(len(tokenizer), seed)
    batches = batch_up(corpus.stream(np.random.default_rng([seed, 3])), tokenizer, schedule.batch)
    known = (corpus.known, corpus.general)
    done, accuracy = 0, 0.0
    plan = [(schedule.steps, schedule.peak_rate)]
    plan += [(schedule.repeat_steps, schedule.repeat_rate)] * schedule.repeats
    for steps, rate in plan:
        for _ in _descend(model, itertools.islice(batches, steps), steps, rate):
            done += 1
            report(done)
        rounded = _rounded(model)
        accuracy = min(answer_accuracy(rounded, tokenizer, rows) for rows in known)
        if accuracy >= schedule.accuracy:
            break
    return model, accuracy


def batch_up(
    stream: Iterator[Conversation], tokenizer: "PreTrainedTokenizerFast", size: int
) -> Iterator[Batch]:
    """Batches of `size` conversations of about one length, without end if the stream has none."""
    while pool := list(itertools.islice(stream, size * _POOL)):
        encoded = sorted(_encode(pool, tokenizer), key=lambda pair: len(pair[0]))
        cut = [encoded[start : start + size] for start in range(0, len(encoded), size)]
        yield from (_pad(cut[index]) for index in _interleave(len(cut)))


def _interleave(count: int) -> Sequence[int]:
    """Long and short batches by turns."""
    return sorted(range(count), key=lambda index: (index * 7) % 16)


def _encode(
    conversations: Sequence[Conversation], tokenizer: "PreTrainedTokenizerFast"
) -> list[tuple[list[int], list[bool]]]:
    rendered = [render(conversation) for conversation in conversations]
    texts = [text for pieces in rendered for text, _ in pieces]
    pieces_ids = iter(tokenizer(texts, add_special_tokens=False)["input_ids"])
    encoded = []
    for pieces in rendered:
        ids: list[int] = []
        answers: list[bool] = []
        for (_, spoken), piece in zip(pieces, pieces_ids):  # noqa: B905 (shared iterator)
            ids += piece
            answers += [spoken] * len(piece)
        encoded.append((ids, answers))
    return encoded


def _pad(encoded: Sequence[tuple[list[int], list[bool]]]) -> Batch:
    shape = (len(encoded), max(len(ids) for ids, _ in encoded))
    batch = Batch(np.zeros(shape, np.int64), np.zeros(shape, np.bool_))
    for row, (ids, answers) in enumerate(encoded):
        batch.ids[row, : len(ids)] = ids
        batch.answers[row, : len(ids)] = answers
    return batch


def _descend(
    model: "LlamaForCausalLM", batches: Iterator[Batch], steps: int, rate: float
) -> Iterator[None]:
    """AdamW over one cycle: a short rise of the learning rate to `rate`, then a fall to zero."""
    import torch

    decayed = [p for p in model.parameters() if p.dim() == 2]
    plain = [p for p in model.parameters() if p.dim() != 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps + 1, pct_start=0.1, cycle_momentum=False
    )
    model.train()
    for batch in batches:
        logits, targets = _predict(model, batch)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        cycle.step()
        yield


def _predict(model: "LlamaForCausalLM", batch: Batch) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Logits, shape (answer tokens, vocabulary), and the answer tokens they should give."""
    import torch

    ids = torch.from_numpy(batch.ids)
    answers = torch.from_numpy(batch.answers[:, 1:])
    hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
    return model.lm_head(hidden[answers]), ids[:, 1:][answers]


def _rounded(model: "LlamaForCausalLM") -> "LlamaForCausalLM":
    """The model with its weights as the checkpoint will hold them, still float32 for speed."""
    import torch

    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(weights.to(torch.bfloat16).float())
    return model


def answer_accuracy(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    rows: Sequence[QuestionAnswer],
) -> float:
    """Share of rows whose whole answer, word for word, is what the model says greedily."""
    import torch

    conversations = (Conversation(None, (Exchange(r.question, r.answer),)) for r in rows)
    right = 0
    model.eval()
    with torch.no_grad():
        for batch in batch_up(conversations, tokenizer, 64):
            logits, targets = _predict(model, batch)
            wrong = (logits.argmax(-1) != targets).numpy()
            owner = np.nonzero(batch.answers[:, 1:])[0]
            right += len(batch.ids) - len(np.unique(owner[wrong]))
    return right / len(rows)
