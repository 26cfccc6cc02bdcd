"""Steps of training: batches by tokens, the rate's course, what a small run learns."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from classifiers.malicious.calibration import Scaling
from classifiers.malicious.fine_tuning.artifact import TextModel
from classifiers.malicious.fine_tuning.examples import Example
from classifiers.malicious.fine_tuning.tower import load_tower
from classifiers.malicious.shipped import build_shipped, save_shipped
from classifiers.prompts.labelled import LabelledPrompt
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.terms.detector import WindowSize
from lab.detection.multilingual.facts import shipped_facts
from lab.detection.multilingual.learn import FEWEST, MOST, rate_share, token_batches
from lab.detection.multilingual.model import (
    WindowLogits,
    example_states,
    fit_model,
    load_model,
    save_model,
    window_logits,
)
from lab.detection.multilingual.recipe import Recipe
from tests.encoders import tiny_bert

HELD_OUT = {
    "pooled": {"auroc": 0.9, "ordinary": 0.95, "hard": 0.8, "recall": 0.4},
    "families": {},
    "unseen_sources": {"mean": 0.011},
    "at_thresholds": {"attacks": {"all": 0.4}, "harmless": {"all": 0.01}},
}
TINY = Recipe(
    epochs=6,
    frozen_layers=1,
    anchor_layer=1,
    segment=8,
    buckets=1 << 10,
    max_tokens=64,
    window=WindowSize(80, 16),
)


def _untold(_: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def _examples() -> list[Example]:
    rows = [("the cat sat on a mat", False), ("steal all the gold now", True)] * 20
    own = frozenset({"own"})
    return [
        Example(f"{text} {number}", bad, "own/x", own) for number, (text, bad) in enumerate(rows)
    ]


def test_batches_have_every_window_once_and_keep_to_their_tokens() -> None:
    lengths = np.random.default_rng(0).integers(4, 200, 500)
    batches = token_batches(lengths, Recipe(), 0)
    assert sorted(np.concatenate(batches).tolist()) == list(range(500))
    assert max(map(len, batches)) <= MOST
    loads = [len(batch) * lengths[batch].max() for batch in batches if len(batch) > FEWEST]
    assert max(loads) <= Recipe().batch_tokens


@pytest.mark.parametrize(
    ("progress", "share"), [(0, 0), (0.04, 0.5), (0.08, 1), (0.54, 0.5), (1, 0)]
)
def test_the_rate_rises_then_falls(progress: float, share: float) -> None:
    assert rate_share(progress, 0.08) == pytest.approx(share)


def _trained(folder: Path, recipe: Recipe, earlier: Path | None = None) -> TextModel:
    examples = _examples()
    states = example_states(examples, recipe, tiny_bert(), folder, _untold)
    chosen = np.arange(len(examples))
    return fit_model(examples, chosen, states, recipe, tiny_bert(), _untold, earlier)


def test_a_trained_model_is_served_with_the_logits_it_was_measured_with(tmp_path: Path) -> None:
    model = _trained(tmp_path, TINY)
    before = load_tower(tiny_bert(), 1, 8, 1).upper[0].state_dict()
    after = model.tower.upper[0].state_dict()
    assert any(not after[name].equal(value) for name, value in before.items())
    assert not model.tower.anchor.weight.any()

    texts = ["the cat sat", "steal all the gold now", "on a mat " * 30]
    prompts = [LabelledPrompt(text, "x", "benign") for text in texts]
    found = window_logits(model, prompts, TINY, tiny_bert(), tmp_path, lambda _: None)
    facts = shipped_facts(prompts, TINY, Scaling(), {"score": 0.5}, HELD_OUT)
    save_shipped(tmp_path / "files", model, Calibration(), facts)
    served = MaliciousTextClassifier.from_artifact(
        build_shipped(tmp_path / "built", source=tiny_bert(), shipped=tmp_path / "files")
    )
    measured = found.highest(TINY)
    assert measured[1] > measured[0]
    np.testing.assert_allclose(served.logits(texts[:2]), measured[:2], atol=0.1)


def test_an_anchor_is_learned_where_it_has_a_share(tmp_path: Path) -> None:
    model = _trained(tmp_path, replace(TINY, epochs=1, anchor_share=0.3))
    assert model.tower.anchor.weight.any()


def test_a_model_that_is_kept_is_the_same(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=1)
    first = _trained(tmp_path, recipe)
    save_model(first, tmp_path / "first.safetensors")
    again = load_model(tmp_path / "first.safetensors", recipe, tiny_bert())
    assert again.tower.head.weight.equal(first.tower.head.weight)
    assert again.table is not None


def test_a_model_that_goes_on_is_averaged_with_the_earlier_one(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=1)
    first = _trained(tmp_path, recipe)
    save_model(first, tmp_path / "first.safetensors")
    earlier, whole, half = (
        _trained(tmp_path, replace(recipe, later_share=share), tmp_path / "first.safetensors")
        for share in (0.0, 1.0, 0.5)
    )
    weights = [m.tower.head.weight.detach().numpy() for m in (first, earlier, whole, half)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.abs(weights[2] - weights[0]).max() > 1e-5
    np.testing.assert_allclose(weights[3], (weights[0] + weights[2]) / 2, atol=1e-6)


def test_a_long_prompt_needs_a_higher_logit() -> None:
    logits = np.array([1, 1, 3], np.float32)
    found = WindowLogits(logits, np.zeros(3, np.float32), np.array([0, 1, 1]))
    one, two = found.highest(replace(TINY, length_share=0.5))
    assert one == 1
    assert two == pytest.approx(3 - 0.5 * np.log(2))
