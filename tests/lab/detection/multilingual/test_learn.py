"""Steps of training: batches by tokens, the rate's course, what a small run learns."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.malicious.calibration import Scaling
from classifiers.malicious.fine_tuning.examples import Example
from classifiers.malicious.fine_tuning.tower import load_tower
from classifiers.malicious.shipped import build_shipped, save_shipped
from classifiers.prompts.labelled import LabelledPrompt
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.terms.detector import WindowSize
from lab.detection.multilingual.facts import shipped_facts
from lab.detection.multilingual.learn import FEWEST, MOST, rate_share, token_batches
from lab.detection.multilingual.model import fit_model, prompt_logits
from lab.detection.multilingual.recipe import Recipe
from tests.encoders import tiny_bert

HELD_OUT = {
    "pooled": {"auroc": 0.9, "ordinary": 0.95, "hard": 0.8, "recall": 0.4},
    "families": {},
    "unseen_sources": {"mean": 0.011},
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


def test_a_trained_model_is_served_with_the_logits_it_was_measured_with(tmp_path: Path) -> None:
    model = fit_model(_examples(), TINY, tiny_bert(), tmp_path, _untold)
    before = load_tower(tiny_bert(), 1, 8, 1).upper[0].state_dict()
    after = model.tower.upper[0].state_dict()
    assert any(not after[name].equal(value) for name, value in before.items())
    assert model.tower.anchor.weight.any()

    texts = ["the cat sat", "steal all the gold now", "on a mat " * 30]
    prompts = [LabelledPrompt(text, "x", "benign") for text in texts]
    measured = prompt_logits(model, prompts, TINY, tiny_bert(), tmp_path, lambda _: None)
    facts = shipped_facts(prompts, TINY, Scaling(), {"score": 0.5}, HELD_OUT)
    save_shipped(tmp_path / "files", model, Calibration(), facts)
    served = MaliciousTextClassifier.from_artifact(
        build_shipped(tmp_path / "built", source=tiny_bert(), shipped=tmp_path / "files")
    )
    assert measured[1] > measured[0]
    np.testing.assert_allclose(served.logits(texts[:2]), measured[:2], atol=0.05)
