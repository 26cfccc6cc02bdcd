"""A model of some examples, and its logits of prompts, windows as they are served."""

from collections.abc import Callable, Sequence
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
PROCESSOR = Device()


def fit_model(
    examples: Sequence[Example], recipe: Recipe, source: Path, cache: Path, progress: Progress
) -> TextModel:
    """Tower, anchor and table learned from the examples; the encoder lies in the folder `source`,
    its states are kept in `cache`. The model's logits are not scaled yet."""
    texts = [example.text for example in examples]
    labels, weights = labels_of(examples), example_weights(examples)
    learned = Examples(np.arange(len(texts)), labels, weights)
    tower = _new_tower(recipe, source)
    tokens = tokenize(texts, source, recipe.window_tokens)
    told = counter("states", len(texts), progress)
    states = compute_states(tower, tokens, cache, told, PROCESSOR)
    count = counter("training", len(texts) * recipe.epochs, progress)
    train(tower, states, learned, recipe, lambda rows, _: count(rows))
    _fit_anchor(tower, states, learned, recipe.anchor_share)
    table, bias = fit_table(
        texts, labels, weights, buckets=recipe.buckets, most_words=recipe.ngram_words
    )
    mixing = np.array([1, recipe.lexical_share, recipe.lexical_share * bias], np.float32)
    return TextModel(tower, table, mixing, [recipe.window], None, recipe.ngram_words)


def _new_tower(recipe: Recipe, source: Path) -> "Tower":
    import torch

    from classifiers.malicious.fine_tuning.tower import load_tower

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(recipe.seed)
        tower = load_tower(source, recipe.frozen_layers, recipe.segment, recipe.anchor_layer)
    _without_attention_dropout(tower)
    return tower


def _without_attention_dropout(tower: "Tower") -> None:
    """Dropping attention would keep torch from its fast attention; the other dropouts stay."""
    for module in tower.upper.modules():
        if type(module).__name__.endswith("SelfAttention"):
            module.dropout.p = 0.0


def _fit_anchor(tower: "Tower", states: TokenStates, learned: Examples, share: float) -> None:
    pools, owners = states.pools(learned.windows)
    features = states.features[pools].astype(np.float32)  # (pools, width)
    set_anchor(tower, *fit_anchor(features, owners, learned.labels, learned.weights), share)


def prompt_logits(
    model: TextModel,
    prompts: Sequence[LabelledPrompt],
    recipe: Recipe,
    source: Path,
    cache: Path,
    tell: Callable[[int], None],
) -> Floats:
    """The logit of each prompt's highest window, (n,)."""
    windows, owners = cut_windows(prompts, recipe)
    tokens = tokenize(windows, source, recipe.max_tokens)
    states = compute_states(model.tower, tokens, cache, tell, PROCESSOR)
    scores = model.mixing[0] * _tower_logits(model.tower, states) + model.mixing[2]
    if model.table is not None:
        grams = ngram_matrix(windows, len(model.table), model.ngram_words)
        scores = scores + model.mixing[1] * (grams @ model.table)
    found = np.full(len(prompts), -np.inf, np.float32)
    np.maximum.at(found, owners, scores.astype(np.float32))
    return found


def cut_windows(
    prompts: Sequence[LabelledPrompt], recipe: Recipe
) -> tuple[list[str], NDArray[np.int64]]:
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
