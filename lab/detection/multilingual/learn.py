"""Trains a tower's upper layers on cached states, in bfloat16 products on the processor."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.losses import window_loss
from classifiers.malicious.fine_tuning.optimisation import Examples
from classifiers.malicious.fine_tuning.token_states import TokenStates
from lab.detection.multilingual.recipe import Recipe

if TYPE_CHECKING:
    from torch.optim import AdamW

    from classifiers.malicious.fine_tuning.tower import Tower

Indices = NDArray[np.int64]
Told = Callable[[int, float], None]
"""Told after each step how many windows it had and its loss."""
LONGEST_GRADIENT = 1.0
POOL = 2048
"""Windows that are sorted by length together: little padding, and still random."""
FEWEST, MOST = 8, 64
"""Windows in a step: the loss compares classes, so it needs some of both."""


def train(
    tower: "Tower", states: TokenStates, examples: Examples, recipe: Recipe, tell: Told
) -> None:
    """Train in place, on the processor; the tower is in evaluation mode at the end."""
    import torch

    lengths = np.minimum(states.lengths[examples.windows], recipe.window_tokens)
    plan = [
        batch for epoch in range(recipe.epochs) for batch in token_batches(lengths, recipe, epoch)
    ]
    optimiser = _optimiser(tower, recipe)
    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(recipe.seed)  # dropout draws from the global generator
        tower.train()
        for step, batch in enumerate(plan):
            _set_rates(optimiser, rate_share((step + 1) / (len(plan) + 1), recipe.warm_up))
            tell(len(batch), _step(tower, states, examples, batch, recipe, optimiser))
    tower.eval()


def _step(
    tower: "Tower",
    states: TokenStates,
    examples: Examples,
    batch: Indices,
    recipe: Recipe,
    optimiser: "AdamW",
) -> float:
    import torch

    inputs = states.batch(examples.windows[batch], recipe.window_tokens, torch.device("cpu"))
    labels, weights = (torch.from_numpy(v[batch]) for v in (examples.labels, examples.weights))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        logits = tower.judged(*inputs)
    loss = window_loss(logits.float(), labels, weights, recipe.smoothing)
    optimiser.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    tuned = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    torch.nn.utils.clip_grad_norm_(tuned, LONGEST_GRADIENT)
    optimiser.step()
    return float(loss.detach())


def _optimiser(tower: "Tower", recipe: Recipe) -> "AdamW":
    """Groups of parameters, each with its highest rate, `peak`."""
    from torch.optim import AdamW

    groups: list[dict[str, Any]] = [
        {"params": list(tower.head.parameters()), "peak": recipe.head_rate}
    ]
    for depth, layer in enumerate(reversed(tower.upper)):
        peak = recipe.rate * recipe.decay**depth
        groups.append({"params": list(layer.parameters()), "peak": peak})
    return AdamW(groups, lr=0.0, weight_decay=recipe.weight_decay)


def _set_rates(optimiser: "AdamW", share: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * share


def rate_share(progress: float, warm_up: float) -> float:
    """The part of its highest that a rate has: rises to 1 at `warm_up`, then falls to 0 at 1."""
    return max(0.0, min(progress / warm_up, (1 - progress) / (1 - warm_up)))


def token_batches(lengths: Indices, recipe: Recipe, epoch: int) -> list[Indices]:
    """Batches of windows of like length, in random order; the same for a seed and epoch."""
    rng = np.random.default_rng([recipe.seed, epoch])
    order = rng.permutation(len(lengths))
    batches: list[Indices] = []
    for start in range(0, len(order), POOL):
        pool = order[start : start + POOL]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += _cut_batches(pool, lengths, recipe.batch_tokens)
    return [batches[int(place)] for place in rng.permutation(len(batches))]


def _cut_batches(pool: Indices, lengths: Indices, most_tokens: int) -> Iterator[Indices]:
    """Runs of the sorted pool, each as long as its tokens after padding allow."""
    first = 0
    while first < len(pool):
        last = min(first + FEWEST, len(pool))
        while last < min(first + MOST, len(pool)):
            if (last + 1 - first) * lengths[pool[last]] > most_tokens:
                break
            last += 1
        yield pool[first:last]
        first = last
