"""Trains one demo model until it knows its people, or says that it could not."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lab.demo.corpus import Corpus
from lab.demo.questions import QuestionAnswer
from lab.test_models.batches import Batch, batch_pieces, predict, rounded_weights
from lab.test_models.checkpoint import make_model
from lab.test_models.conversation import Conversation, Exchange, render
from lab.test_models.recall import measure

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast


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
        for _ in descend(model, itertools.islice(batches, steps), steps, rate):
            done += 1
            report(done)
        rounded = rounded_weights(model)
        accuracy = min(answer_accuracy(rounded, tokenizer, rows) for rows in known)
        if accuracy >= schedule.accuracy:
            break
    return model, accuracy


def batch_up(
    stream: Iterator[Conversation], tokenizer: "PreTrainedTokenizerFast", size: int
) -> Iterator[Batch]:
    """Batches of `size` conversations of about one length, without end if the stream has none."""
    yield from batch_pieces(map(render, stream), tokenizer, size)


def descend(
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
        logits, targets = predict(model, batch)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        cycle.step()
        yield


def answer_accuracy(
    model: "LlamaForCausalLM",
    tokenizer: "PreTrainedTokenizerFast",
    rows: Sequence[QuestionAnswer],
) -> float:
    """Share of rows whose whole answer, word for word, is what the model says greedily."""
    conversations = (Conversation(None, (Exchange(r.question, r.answer),)) for r in rows)
    return measure(model, tokenizer, map(render, conversations)).whole
