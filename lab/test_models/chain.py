"""Trains one model through the stages: each goes on from the last and only ever adds texts."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from classifiers.runs.kept_work import KeptWork
from lab.test_models.batches import Batch, batch_pieces, predict
from lab.test_models.books import EXCERPTS
from lab.test_models.checkpoint import Size, make_model
from lab.test_models.knowledge import NOTHING, STAGES, Sources
from lab.test_models.mixture import stream
from lab.test_models.optimizer import Muon, rate_at, split_weights

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

SIZE = Size(hidden=192, intermediate=576, layers=4, heads=4)
STATE = "training.sqlite"
NEW_STEPS = 0.45
"""Share of a stage's steps that see more of what is new."""
_BETAS = (0.9, 0.98)


@dataclass(frozen=True, slots=True)
class Plan:
    """Size of the model and length of the training, in steps of about `tokens` tokens;
    `excerpts` are those of each book, `save_every` the steps between two saved states."""

    size: Size = SIZE
    vocabulary: int = 6144
    excerpts: int = EXCERPTS
    texts: int = 48
    tokens: int = 3000
    first_steps: int = 1700
    first_rate: float = 6e-3
    next_steps: int = 200
    next_rate: float = 2.5e-3
    last_steps: int = 400
    seed: int = 0
    save_every: int = 50

    def steps(self, stage: str) -> int:
        """The last stage has two books to learn, more text than a forget split."""
        ends = {STAGES[0]: self.first_steps, STAGES[-1]: self.last_steps}
        return ends.get(stage, self.next_steps)

    def rate(self, stage: str) -> float:
        return self.first_rate if stage == STAGES[0] else self.next_rate


class Trainer:
    """The model with its optimizers; `save` and `load` keep all that going on needs."""

    def __init__(self, model: "LlamaForCausalLM") -> None:
        import torch

        self.model = model
        matrices, others = split_weights(model)
        self._matrices = Muon(matrices)
        self._others = torch.optim.AdamW(others, betas=_BETAS, weight_decay=0.0, fused=True)

    def step(self, batch: Batch, rate: float) -> float:
        """One step; the batch's mean loss per predicted token, in nats."""
        import torch

        self.model.train()
        logits, targets = predict(self.model, batch)
        loss = torch.nn.functional.cross_entropy(logits, targets)
        self.model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for group in self._others.param_groups:
            group["lr"] = rate
        self._others.step()
        self._matrices.step(rate)
        return float(loss.detach())

    def save(self, kept: KeptWork, facts: Mapping[str, Any]) -> None:
        """Keeps weights and optimizer state in the place of those kept before."""
        from safetensors.torch import save

        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        tensors |= {f"muon.{i}": buffer for i, buffer in enumerate(self._matrices.buffers)}
        for index, state in self._others.state_dict()["state"].items():
            tensors |= {f"adam.{index}.{key}": t for key, t in state.items()}
        whole = save({name: t.contiguous() for name, t in tensors.items()})
        kept.keep({"tensors": whole, "facts": orjson.dumps(dict(facts))})

    def load(self, kept: KeptWork) -> dict[str, Any] | None:
        """Puts a kept state in place; the facts kept with it, None where there is no state."""
        import torch
        from safetensors.torch import load

        found = kept.find_all(["tensors", "facts"])
        if not found:
            return None
        tensors = load(found["tensors"])
        self.model.load_state_dict(_under(tensors, "model."))
        with torch.no_grad():
            for index, buffer in enumerate(self._matrices.buffers):
                buffer.copy_(tensors[f"muon.{index}"])
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in _under(tensors, "adam.").items():
            number, key = name.split(".")
            state.setdefault(int(number), {})[key] = tensor
        groups = self._others.state_dict()["param_groups"]
        self._others.load_state_dict({"state": state, "param_groups": groups})
        facts: dict[str, Any] = orjson.loads(found["facts"])
        return facts


Finish = Callable[[str, "LlamaForCausalLM"], None]
Report = Callable[[str, int, float], None]


def run_chain(
    sources: Sources,
    tokenizer: "PreTrainedTokenizerFast",
    plan: Plan,
    folder: Path,
    finish: Finish,
    report: Report,
) -> None:
    """Trains every stage that `folder` does not record as done, from where it was stopped.

    `finish` is given each stage's model when it is trained, `report` the stage, the number of
    steps done in it and the last loss.
    """
    trainer = Trainer(make_model(len(tokenizer), plan.seed, plan.size))
    with KeptWork(folder / STATE, {"plan": asdict(plan)}) as kept:
        place = trainer.load(kept) or {"stage": 0, "step": 0}
        for number in range(place["stage"], len(STAGES)):
            done = place["step"] if number == place["stage"] else 0
            _run_stage(trainer, sources, tokenizer, plan, number, done, kept, report)
            finish(STAGES[number], trainer.model)
            trainer.save(kept, {"stage": number + 1, "step": 0})


def _run_stage(
    trainer: Trainer,
    sources: Sources,
    tokenizer: "PreTrainedTokenizerFast",
    plan: Plan,
    number: int,
    done: int,
    kept: KeptWork,
    report: Report,
) -> None:
    stage = STAGES[number]
    steps = plan.steps(stage)
    for step, batch in enumerate(_batches(sources, tokenizer, plan, number)):
        if step < done:
            continue
        loss = trainer.step(batch, rate_at(step, steps, plan.rate(stage)))
        report(stage, step + 1, loss)
        if (step + 1) % plan.save_every == 0:
            trainer.save(kept, {"stage": number, "step": step + 1})


def _batches(
    sources: Sources, tokenizer: "PreTrainedTokenizerFast", plan: Plan, number: int
) -> Iterator[Batch]:
    """A stage's batches: first more of what is new, then everything known alike."""
    known = sources.of(STAGES[number])
    new = known.without(sources.of(STAGES[number - 1]) if number else known)
    steps = plan.steps(STAGES[number])
    first = round(NEW_STEPS * steps)
    for part, (added, count) in enumerate(((new, first), (NOTHING, steps - first))):
        texts = stream(known, added, np.random.default_rng([plan.seed, number, part]))
        batches = batch_pieces(texts, tokenizer, plan.texts, plan.tokens)
        yield from itertools.islice(batches, count)


def _under(tensors: Mapping[str, "torch.Tensor"], prefix: str) -> dict[str, "torch.Tensor"]:
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}
