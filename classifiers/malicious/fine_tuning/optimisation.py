"""Trains the tower's upper layers on cached token states: seeded, resumable after each epoch."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.losses import (
    WorstGroups,
    batch_loss,
    consistency_loss,
    contrastive_loss,
    cross_entropies,
)
from classifiers.malicious.fine_tuning.token_states import Indices, TokenStates, batches_by_length

if TYPE_CHECKING:
    from torch import Generator, Tensor
    from torch.optim import AdamW

    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
Report = Callable[[int, float], None]
"""Told after each step how many windows it had and its loss."""


@dataclass(frozen=True, slots=True)
class Optimisation:
    """How the tower is trained.

    `ranking`, `contrast` and `consistency` weigh the pairwise loss, the contrastive one and that
    of two passes against cross entropy; `worst_group` is the rate at which weight moves to the
    groups with the highest loss. 0 leaves each out (`losses`).
    """

    epochs: int = 1
    rate: float = 1.5e-4
    head_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    smoothing: float = 0.05
    ranking: float = 0.3
    contrast: float = 0.0
    consistency: float = 0.0
    worst_group: float = 0.0
    noise: float = 0.0
    max_tokens: int = 160
    batch: int = 32
    seed: int = 1

    def __post_init__(self) -> None:
        for name in ("ranking", "contrast", "consistency", "worst_group", "noise"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name}: expected a number from 0")


@dataclass(frozen=True, slots=True)
class Examples:
    """Windows to learn from: which states, labels 0 or 1, weights, and the number of the group
    that each belongs to, all of shape (n,)."""

    windows: Indices
    labels: Floats
    weights: Floats
    groups: Indices

    def of(self, rows: Indices) -> "Examples":
        """Those of `rows`."""
        return Examples(
            self.windows[rows], self.labels[rows], self.weights[rows], self.groups[rows]
        )


def train_tower(
    tower: "Tower",
    states: TokenStates,
    examples: Examples,
    how: Optimisation,
    *,
    checkpoint: Path | None = None,
    report: Report | None = None,
) -> None:
    """Train in place. With `checkpoint`, an interrupted run goes on with its last whole epoch."""
    import torch

    generator = torch.Generator().manual_seed(how.seed)
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(how.seed)  # dropout draws from the global generator
        optimiser = _optimiser(tower, how)
        steps = len(_epoch(states, examples, how, 0))
        first = _resume(tower, optimiser, checkpoint)
        worst = WorstGroups(int(examples.groups.max(initial=0)) + 1, how.worst_group)
        for epoch in range(first, how.epochs):
            tower.train()
            batches = _epoch(states, examples, how, epoch)
            for step, batch in enumerate(batches):
                _set_rate(optimiser, (epoch * steps + step) / (how.epochs * steps), how)
                inputs = _inputs(states, examples.windows[batch], how, generator)
                loss = _loss(tower, inputs, examples.of(batch), how, worst)
                _descend(tower, optimiser, loss)
                if report is not None:
                    report(len(batch), float(loss.detach()))
            _save(tower, optimiser, checkpoint, epoch + 1)
    tower.eval()


def predict(tower: "Tower", states: TokenStates, windows: Indices) -> Floats:
    """Logits, shape (pools,), of all pools of the windows, in the order of `states.pools`."""
    import torch

    tower.eval()
    lengths = states.lengths[windows]
    most = int(lengths.max(initial=1))
    ends = np.cumsum(states.pool_offsets[windows + 1] - states.pool_offsets[windows])
    starts = np.concatenate([[0], ends]).astype(np.int64)
    found = np.zeros(starts[-1], np.float32)
    with torch.inference_mode():
        for rows in batches_by_length(lengths, np.argsort(lengths, kind="stable")):
            inputs, mask = states.batch(windows[rows], most)
            logits = tower.pool_logits(inputs, mask)[0].numpy()
            for place, row in enumerate(rows):
                start, end = starts[row], starts[row + 1]
                found[start:end] = logits[place, : end - start]
    return found


def _optimiser(tower: "Tower", how: Optimisation) -> "AdamW":
    from torch.optim import AdamW

    groups = [
        {"params": list(tower.upper.parameters()), "lr": how.rate, "peak": how.rate},
        {"params": list(tower.head.parameters()), "lr": how.head_rate, "peak": how.head_rate},
    ]
    return AdamW(groups, weight_decay=how.weight_decay)


def _set_rate(optimiser: "AdamW", progress: float, how: Optimisation) -> None:
    """Linear warm-up, then linear decay to zero."""
    share = min(progress / how.warm_up, (1 - progress) / (1 - how.warm_up))
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * max(0.0, share)


def _epoch(states: TokenStates, examples: Examples, how: Optimisation, epoch: int) -> list[Indices]:
    """Batches of examples of like length, in random order; the same for a seed and epoch."""
    rng = np.random.default_rng([how.seed, epoch])
    order = rng.permutation(len(examples.windows))
    lengths = np.minimum(states.lengths[examples.windows], how.max_tokens)
    batches: list[Indices] = []
    pool = 64 * how.batch
    for start in range(0, len(order), pool):
        chunk = order[start : start + pool]
        chunk = chunk[np.argsort(lengths[chunk], kind="stable")]
        batches += [chunk[i : i + how.batch] for i in range(0, len(chunk), how.batch)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _inputs(
    states: TokenStates, windows: Indices, how: Optimisation, generator: "Generator"
) -> "tuple[Tensor, Tensor]":
    import torch

    inputs, mask = states.batch(windows, how.max_tokens)
    if how.noise:
        inputs = inputs * (1 + how.noise * torch.randn(inputs.shape, generator=generator))
    return inputs, mask


def _loss(
    tower: "Tower",
    inputs: "tuple[Tensor, Tensor]",
    batch: Examples,
    how: Optimisation,
    worst: WorstGroups,
) -> "Tensor":
    """The loss of a batch; `worst` learns of it."""
    import torch

    labels = torch.from_numpy(batch.labels)
    weights = torch.from_numpy(batch.weights * worst.weights(batch.groups))
    judge = partial(batch_loss, smoothing=how.smoothing, ranking=how.ranking)
    logits, features = tower.judged(*inputs)
    loss = judge(logits, labels, weights)
    if how.contrast:
        loss = loss + how.contrast * contrastive_loss(features, labels)
    if how.consistency:
        again, _ = tower.judged(*inputs)
        loss = (loss + judge(again, labels, weights)) / 2
        loss = loss + how.consistency * consistency_loss(logits, again)
    if how.worst_group:
        rows = cross_entropies(logits.detach(), labels, how.smoothing)
        worst.update(batch.groups, rows.numpy())
    return loss


def _descend(tower: "Tower", optimiser: "AdamW", loss: "Tensor") -> None:
    import torch

    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_([*tower.upper.parameters(), *tower.head.parameters()], 1.0)
    optimiser.step()


def _save(tower: "Tower", optimiser: "AdamW", file: Path | None, epochs: int) -> None:
    """Weights and the optimiser's moments, whole or not at all."""
    import torch
    from safetensors.torch import save_file

    if file is None:
        return
    tensors = {f"delta.{name}": t.contiguous() for name, t in tower.delta().items()}
    for number, parameter in enumerate(_parameters(optimiser)):
        for name, value in optimiser.state[parameter].items():
            tensors[f"moments.{number}.{name}"] = value.contiguous()
    tensors["epochs"] = torch.tensor([epochs])
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(".new")
    save_file(tensors, temporary)
    temporary.replace(file)


def _resume(tower: "Tower", optimiser: "AdamW", file: Path | None) -> int:
    """Epochs already done, their result put in place."""
    from safetensors.torch import load_file

    if file is None or not file.exists():
        return 0
    tensors = load_file(file)
    prefix = "delta."
    tower.apply_delta({n[len(prefix) :]: t for n, t in tensors.items() if n.startswith(prefix)})
    for number, parameter in enumerate(_parameters(optimiser)):
        names = [n for n in tensors if n.startswith(f"moments.{number}.")]
        optimiser.state[parameter] = {n.split(".", 2)[2]: tensors[n] for n in names}
    return int(tensors["epochs"][0])


def _parameters(optimiser: "AdamW") -> "list[Tensor]":
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]
