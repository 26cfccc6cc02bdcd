"""A model of some examples, and its logits of prompts, windows as they are served."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from classifiers.malicious.fine_tuning.anchor import fit_anchor, set_anchor
from classifiers.malicious.fine_tuning.artifact import TextModel
from classifiers.malicious.fine_tuning.examples import Example, labels_of
from classifiers.malicious.fine_tuning.lexical import fit_table, ngram_matrix
from classifiers.malicious.fine_tuning.optimisation import Examples, predict
from classifiers.malicious.fine_tuning.token_states import TokenStates, compute_states
from classifiers.malicious.fine_tuning.training import counter, tokenize
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.runs.device import Device
from classifiers.runs.step_progress import Progress
from guard.screening.cutting.windows import cut
from lab.detection.multilingual.examples import example_weights
from lab.detection.multilingual.learn import train
from lab.detection.multilingual.recipe import Recipe

if TYPE_CHECKING:
    from classifiers.malicious.fine_tuning.tower import Tower

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]
MOST_WINDOWS = 16
"""Of a text that cost it something: thresholds rise no further."""
PROCESSOR = Device()


def example_states(
    examples: Sequence[Example], recipe: Recipe, source: Path, cache: Path, progress: Progress
) -> TokenStates:
    """The frozen layers' states of all examples, kept in `cache`: every fold learns from them."""
    texts = [example.text for example in examples]
    tokens = tokenize(texts, source, recipe.window_tokens)
    told = counter("states", len(texts), progress)
    with half_products():
        return compute_states(_new_tower(recipe, source), tokens, cache, told, PROCESSOR)


def fit_model(
    examples: Sequence[Example],
    chosen: Indices,
    states: TokenStates,
    recipe: Recipe,
    source: Path,
    progress: Progress,
    earlier: Path | None = None,
) -> TextModel:
    """Tower, anchor and table learned from the chosen examples, whose states are given; the encoder
    lies in the folder `source`. The tower goes on from the model in the file `earlier`, where there
    is one. The model's logits are not scaled yet."""
    rows = [examples[int(place)] for place in chosen]
    labels, weights = labels_of(rows), example_weights(rows)
    learned = Examples(chosen, labels, weights)
    begun = earlier if earlier is not None and earlier.exists() else None
    if begun is not None:
        tower, rate = load_model(begun, recipe, source).tower, recipe.later_rate
    else:
        tower, rate = _new_tower(recipe, source), 1.0
    recipe = replace(recipe, rate=recipe.rate * rate, head_rate=recipe.head_rate * rate)
    count = counter("training", len(rows) * recipe.epochs, progress)
    _set_attention(tower, "eager")
    train(tower, states, learned, recipe, lambda number, _: count(number))
    _set_attention(tower, "sdpa")
    if begun is not None:
        _average(tower, begun, recipe.later_share)
    if recipe.anchor_share:
        _fit_anchor(tower, states, learned, recipe.anchor_share)
    table, bias = fit_table(
        [row.text for row in rows],
        labels,
        weights,
        buckets=recipe.buckets,
        most_words=recipe.ngram_words,
    )
    mixing = np.array([1, recipe.lexical_share, recipe.lexical_share * bias], np.float32)
    return TextModel(tower, table, mixing, [recipe.window], None, recipe.ngram_words)


def _average(tower: "Tower", earlier: Path, share: float) -> None:
    """Put `share` of the tower's weights and the rest of the earlier model's into the tower: what
    both have learned errs less on new sources than either."""
    import torch
    from safetensors.numpy import load_file

    before = load_file(earlier)
    means = {
        name: share * tensor.detach() + (1 - share) * torch.from_numpy(before[f"tower.{name}"])
        for name, tensor in tower.delta().items()
    }
    tower.apply_delta(means)


def save_model(model: TextModel, file: Path) -> None:
    """Write what was learned, so that it can be read again with the same recipe and encoder."""
    from safetensors.numpy import save_file

    tensors = {f"tower.{name}": tensor.numpy() for name, tensor in model.tower.delta().items()}
    table = model.table if model.table is not None else np.zeros(0, np.float32)
    save_file({**tensors, "table": table, "mixing": model.mixing}, file)


def load_model(file: Path, recipe: Recipe, source: Path) -> TextModel:
    """The model that `save_model` wrote."""
    import torch
    from safetensors.numpy import load_file

    tensors = load_file(file)
    table, mixing = tensors.pop("table"), tensors.pop("mixing")
    tower = _new_tower(recipe, source)
    delta = {name.removeprefix("tower."): torch.from_numpy(t) for name, t in tensors.items()}
    tower.apply_delta(delta)
    kept = table if len(table) else None
    return TextModel(tower.eval(), kept, mixing, [recipe.window], None, recipe.ngram_words)


def _new_tower(recipe: Recipe, source: Path) -> "Tower":
    import torch

    from classifiers.malicious.fine_tuning.tower import load_tower

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(recipe.seed)
        tower = load_tower(source, recipe.frozen_layers, recipe.segment, recipe.anchor_layer)
    return tower


def _set_attention(tower: "Tower", implementation: str) -> None:
    """Attention of two products ("eager") or torch's fused one ("sdpa"), without dropout: of short
    windows the gradient of the fused one takes a third of a step, long ones it reads faster."""
    for module in tower.upper.modules():
        if type(module).__name__.endswith("SelfAttention"):
            module.dropout.p = 0.0
            module.config._attn_implementation = implementation


def _fit_anchor(tower: "Tower", states: TokenStates, learned: Examples, share: float) -> None:
    pools, owners = states.pools(learned.windows)
    features = states.features[pools].astype(np.float32)  # (pools, width)
    set_anchor(tower, *fit_anchor(features, owners, learned.labels, learned.weights), share)


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """Both heads' logits of the windows of some prompts, end to end, (windows,), and the prompt
    that each belongs to."""

    tower: Floats
    lexical: Floats
    owners: Indices

    def highest(self, recipe: Recipe) -> Floats:
        """The logit of each prompt's highest window, less what its length costs, (prompts,)."""
        count = int(self.owners.max()) + 1
        found = np.full(count, -np.inf, np.float32)
        np.maximum.at(found, self.owners, self.tower + recipe.lexical_share * self.lexical)
        windows = np.minimum(np.bincount(self.owners, minlength=count), MOST_WINDOWS)
        return found - np.float32(recipe.length_share) * np.log(windows).astype(np.float32)


def window_logits(
    model: TextModel,
    prompts: Sequence[LabelledPrompt],
    recipe: Recipe,
    source: Path,
    cache: Path,
    tell: Callable[[int], None],
) -> WindowLogits:
    """The logits of each prompt's windows, cut as they are served."""
    windows, owners = cut_windows(prompts, recipe)
    tokens = tokenize(windows, source, recipe.max_tokens)
    with half_products():
        states = compute_states(model.tower, tokens, cache, tell, PROCESSOR)
        tower = _tower_logits(model.tower, states)
    lexical = np.zeros(len(windows), np.float32)
    if model.table is not None:
        grams = ngram_matrix(windows, len(model.table), model.ngram_words)
        bias = model.mixing[2] / model.mixing[1]
        lexical = (grams @ model.table + bias).astype(np.float32)
    return WindowLogits(tower, lexical, owners)


def cut_windows(prompts: Sequence[LabelledPrompt], recipe: Recipe) -> tuple[list[str], Indices]:
    """The distinct windows of each prompt, end to end, and the prompt that each belongs to."""
    by_prompt = [list(dict.fromkeys(cut(prompt.text, *recipe.window))) for prompt in prompts]
    owners = np.repeat(np.arange(len(prompts)), [len(windows) for windows in by_prompt])
    return [window for windows in by_prompt for window in windows], owners


def _tower_logits(tower: "Tower", states: TokenStates) -> Floats:
    """Both heads' highest sum in each window of the states, (windows,)."""
    windows = np.arange(len(states.lengths))
    pools, owners = states.pools(windows)
    weight = tower.anchor.weight.detach().numpy()[0]
    anchor = states.features[pools].astype(np.float32) @ weight + float(tower.anchor.bias)
    found = np.full(len(windows), -np.inf, np.float32)
    np.maximum.at(found, owners, predict(tower, states, windows, PROCESSOR) + anchor)
    return found


def half_products() -> AbstractContextManager[object]:
    """Products in bfloat16, sums and norms in float32: three times as fast on the processor."""
    import torch

    return torch.autocast("cpu", dtype=torch.bfloat16)
