"""Every fold's prompts are scored by a model that saw nothing of its sources, once."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from classifiers.malicious.fine_tuning.examples import Example
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.multilingual.folds import Lessons, held_out_logits
from lab.detection.multilingual.model import example_states
from lab.detection.multilingual.recipe import Recipe
from lab.detection.multilingual.sources import FOLDS
from tests.encoders import tiny_bert

TINY = Recipe(frozen_layers=1, anchor_layer=1, segment=8, buckets=1 << 10, max_tokens=64)


def _untold(_: str, done: int, total: int) -> None:
    assert 0 <= done <= total


def _example(number: int) -> Example:
    bad = number % 2 == 1
    source = ("clinc150", "sap200", "bbh")[number % 3]
    return Example(f"the cat sat {number}", bad, f"{source}/x", frozenset({source}))


def test_folds_are_scored_and_kept(tmp_path: Path) -> None:
    sources = [sorted(names)[0] for names in FOLDS]
    prompts = [LabelledPrompt(f"a mat by {source}", source, "benign", "x") for source in sources]
    others = [LabelledPrompt("the cat sat", "elsewhere", "benign", "x")]
    examples = [_example(number) for number in range(36)]
    states = example_states(examples, TINY, tiny_bert(), tmp_path, _untold)
    lessons = Lessons(examples, states, TINY, tiny_bert(), tmp_path)
    first = held_out_logits(prompts, others, lessons, _untold)
    assert first.shape == (3,)
    assert np.isfinite(first).all()
    kept = {f"{name}-{number}.npz" for name in ("fold", "others") for number in range(3)}
    assert {file.name for file in tmp_path.glob("*.npz")} == kept
    assert len(list(tmp_path.glob("model-*.safetensors"))) == 3
    again = held_out_logits(prompts, others, replace(lessons, examples=[]), _untold)
    np.testing.assert_array_equal(first, again)
