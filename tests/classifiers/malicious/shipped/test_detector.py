"""The shipped detector's files: small, and exact."""

from functools import partial
from pathlib import Path

import numpy as np
import orjson
import pytest

from classifiers.encoder.packed import PACKED, PIECES
from classifiers.malicious.fine_tuning.artifact import TextModel
from classifiers.malicious.fine_tuning.first_stage import FirstStageModel
from classifiers.malicious.fine_tuning.tower import Tower, load_tower
from classifiers.malicious.shipped import detector as shipped
from classifiers.malicious.shipped.detector import DELTA, FACTS, build_shipped, save_shipped
from guard.detectors.calibration import Calibration
from guard.detectors.malicious.first_stage import MARK
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.terms.detector import WindowSize
from guard.terms.errors import ConfigError
from tests.encoders import tiny_bert

MOST_BYTES = 45_000_000


def _tuned() -> Tower:
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.random.manual_seed(0)
        tower = load_tower(tiny_bert(), 1)
        for tensor in tower.delta().values():
            tensor.add_(0.01 * torch.randn(tensor.shape))
    return tower.eval()


def _save(folder: Path) -> TextModel:
    table = np.linspace(-1, 1, 64, dtype=np.float32)
    first = FirstStageModel(table, 0.0, -1.0)
    model = TextModel(_tuned(), table, np.ones(3, np.float32), first_stage=first)
    facts = {
        "frozen_layers": 1,
        "segment": 32,
        "anchor_layer": None,
        "max_tokens": 64,
        "ngram_words": 2,
        "windows": [[800, 200]],
        "sentence_margin": 0.25,
        "thresholds": {"fp32": {"score": 0.5, "score@8": 0.7}, "int8": {"score": 0.6}},
        "metrics": {},
        "report": {},
        "data": {},
    }
    save_shipped(folder, model, Calibration([0.1], [0.9]), facts)
    return model


def test_what_is_saved_is_what_is_built(tmp_path: Path) -> None:
    import torch

    model = _save(tmp_path)
    build = partial(build_shipped, source=tiny_bert(), shipped=tmp_path)
    artifact = build(tmp_path / "out", precision="fp32")
    detector = MaliciousTextClassifier.from_artifact(artifact)
    chosen = build(tmp_path / "a", windows=[WindowSize(300, 100)], sentence_margin=0.5)
    assert MaliciousTextClassifier.from_artifact(chosen).window_sizes == ((300, 100),)
    assert chosen.manifest.recipe["sentence_margin"] == 0.5
    assert artifact.manifest.recipe["sentence_margin"] == 0.25
    alone = build(tmp_path / "b", sentences=False, cascade=False)
    assert "sentence_margin" not in alone.manifest.recipe
    assert MARK in artifact.tensors().keys() - alone.tensors().keys()
    assert detector.threshold == 0.5
    assert detector.thresholds is not None
    assert detector.thresholds.at("user", 8) == 0.7
    assert detector.window_sizes == ((800, 200),)
    facts = orjson.loads((tmp_path / FACTS).read_bytes())
    ids = torch.tensor([[2, 7, 9, 3]])
    rebuilt = shipped._model(shipped._tensors(tmp_path), tiny_bert(), facts).tower
    with torch.inference_mode():
        difference = rebuilt(ids, torch.ones_like(ids)) - model.tower(ids, torch.ones_like(ids))
    assert abs(float(difference)) < 0.02


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    _save(tmp_path)
    with pytest.raises(ConfigError, match=r"encoder\.safetensors is not part of this installation"):
        build_shipped(tmp_path / "out", shipped=tmp_path)


def test_the_repository_s_detector_is_small_and_says_what_it_learned_from() -> None:
    folder = Path(shipped.__file__).parent
    assert (
        sum((folder / name).stat().st_size for name in (DELTA, FACTS, PACKED, PIECES)) <= MOST_BYTES
    )
    facts = orjson.loads((folder / FACTS).read_bytes())
    assert set(facts["thresholds"]) == {"fp32", "int8"}
    assert all(0 < found["score"] < 1 for found in facts["thresholds"].values())
    assert {"aart", "clinc150", "banking77", "nlu_eval", "mgsm"} <= set(facts["data"])
