"""Trains the tower's upper layers on the token states of its frozen ones.

Accelerate places the tuned part on the device, computes in bfloat16 where the device does, and
keeps checkpoints. What is left here is ours: batches of like length from states on disk, and the
loss.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.losses import window_loss
from classifiers.malicious.fine_tuning.settings import FineTuning
from classifiers.malicious.fine_tuning.token_states import Indices, TokenStates, batches_by_length
from classifiers.runs.device import Device, choose_device, moved

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch.optim import AdamW

    from classifiers.malicious.fine_tuning.tower import Tower, TunedPart

Floats = NDArray[np.float32]
Told = Callable[[int, float], None]
"""Told after each step how many windows it had and its loss."""

HEAD_RATE = 20 / 3
"""How much faster the head learns than the layers: it starts from nothing, they are pretrained."""
WEIGHT_DECAY = 0.01
WARM_UP = 0.1
"""Share of the steps in which the rate rises; then it falls to 0, linearly too."""
LONGEST_GRADIENT = 1.0
POOL = 64
"""Batches whose windows are sorted by length together: little padding, and still random."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Windows to learn from: which states, labels 0 or 1, and weights, all of shape (n,)."""

    windows: Indices
    labels: Floats
    weights: Floats


def train_tower(
    tower: "Tower",
    states: TokenStates,
    examples: Examples,
    how: FineTuning,
    *,
    seed: int,
    device: Device | None = None,
    checkpoints: Path | None = None,
    tell: Told | None = None,
) -> None:
    """Train in place on `device` (default: the one there is); the tower is back on the processor
    at the end.

    With a folder for `checkpoints`, an interrupted run goes on after its last whole epoch, and ends
    with the weights it would have had.
    """
    import torch

    from classifiers.malicious.fine_tuning.tower import TunedPart

    device = device or choose_device()
    # The generators whose state must be as before afterwards: a training moves nobody else's.
    own = [torch.cuda.current_device()] if device.kind == "cuda" else []
    part = TunedPart(tower.train())
    with moved(part, device), torch.random.fork_rng(devices=own):
        torch.random.manual_seed(seed)  # dropout draws from the global generator
        _train(part, states, examples, how, seed, device, checkpoints, tell)
    tower.eval()


def _train(
    part: "TunedPart",
    states: TokenStates,
    examples: Examples,
    how: FineTuning,
    seed: int,
    device: Device,
    checkpoints: Path | None,
    tell: Told | None,
) -> None:
    from accelerate import Accelerator
    from transformers import get_linear_schedule_with_warmup

    accelerator = Accelerator(
        cpu=device.kind == "cpu", mixed_precision="bf16" if device.bf16 else "no"
    )
    total = how.epochs * len(epoch_batches(states, examples, how, seed, 0))
    adam = _optimiser(part, how)
    linear = get_linear_schedule_with_warmup(adam, round(WARM_UP * total), total)
    model, optimiser, schedule = accelerator.prepare(part, adam, linear)
    for epoch in range(_resume(accelerator, checkpoints), how.epochs):
        for rows in epoch_batches(states, examples, how, seed, epoch):
            inputs = states.batch(examples.windows[rows], how.max_tokens, accelerator.device)
            columns = (examples.labels[rows], examples.weights[rows])
            # Of the states' own type and device.
            labels, weights = (inputs[0].new_tensor(column) for column in columns)
            loss = window_loss(model(*inputs), labels, weights)
            accelerator.backward(loss)
            accelerator.clip_grad_norm_(model.parameters(), LONGEST_GRADIENT)
            optimiser.step()
            schedule.step()
            optimiser.zero_grad()
            if tell is not None:
                tell(len(rows), float(loss.detach()))
        _save(accelerator, checkpoints, epoch + 1)
    # Else a later prepare would find this run's model wrapped for bfloat16.
    accelerator.unwrap_model(model, keep_fp32_wrapper=False)


def predict(
    tower: "Tower", states: TokenStates, windows: Indices, device: Device | None = None
) -> Floats:
    """Logits, shape (pools,), of all pools of the windows, in the order of `states.pools`."""
    import torch

    device = device or choose_device()
    lengths = states.lengths[windows]
    most = int(lengths.max(initial=1))
    ends = np.cumsum(states.pool_offsets[windows + 1] - states.pool_offsets[windows])
    starts = np.concatenate([[0], ends]).astype(np.int64)
    found = np.zeros(starts[-1], np.float32)
    with moved(tower.eval(), device), torch.inference_mode():
        for rows in batches_by_length(lengths, np.argsort(lengths, kind="stable")):
            inputs = states.batch(windows[rows], most, torch.device(device.kind))
            logits = tower.pool_logits(*inputs)[0].float().cpu().numpy()  # (batch, pools)
            for place, row in enumerate(rows):
                start, end = starts[row], starts[row + 1]
                found[start:end] = logits[place, : end - start]
    return found


def epoch_batches(
    states: TokenStates, examples: Examples, how: FineTuning, seed: int, epoch: int
) -> list[Indices]:
    """Batches of examples of like length, in random order; the same for a seed and epoch."""
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(examples.windows))
    # Sorted within pools only: sorted as a whole, each epoch would have the same batches.
    lengths = np.minimum(states.lengths[examples.windows], how.max_tokens)
    batches: list[Indices] = []
    for start in range(0, len(order), POOL * how.batch):
        pool = order[start : start + POOL * how.batch]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[i : i + how.batch] for i in range(0, len(pool), how.batch)]
    return [batches[i] for i in rng.permutation(len(batches))]


def _optimiser(part: "TunedPart", how: FineTuning) -> "AdamW":
    from torch.optim import AdamW

    groups = [
        {"params": list(part.upper.parameters()), "lr": how.rate},
        {"params": list(part.head.parameters()), "lr": how.rate * HEAD_RATE},
    ]
    return AdamW(groups, weight_decay=WEIGHT_DECAY)


def _save(accelerator: "Accelerator", folder: Path | None, epochs: int) -> None:
    """Weights, moments, schedule and the state of what is drawn: whole or not at all."""
    if folder is None:
        return
    # Written beside and renamed: a folder of that name is always a whole checkpoint.
    unfinished = folder / "unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    accelerator.save_state(str(unfinished))
    unfinished.replace(folder / f"epoch-{epochs}")
    shutil.rmtree(folder / f"epoch-{epochs - 1}", ignore_errors=True)


def _resume(accelerator: "Accelerator", folder: Path | None) -> int:
    """Epochs already done, their result put in place."""
    done = [int(place.name.removeprefix("epoch-")) for place in (folder or Path()).glob("epoch-*")]
    if folder is None or not done:
        return 0
    accelerator.load_state(str(folder / f"epoch-{max(done)}"))
    return max(done)
