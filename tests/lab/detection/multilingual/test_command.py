"""The whole way from prompt sets to the files that ship, with few prompts and a tiny encoder."""

import gzip
from pathlib import Path

import orjson

from classifiers.malicious.shipped import build_shipped
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.detectors.stored_thresholds import read_thresholds
from lab.detection.multilingual.__main__ import build_detector
from lab.detection.multilingual.recipe import Recipe
from lab.detection.multilingual.sources import other_prompts
from tests.encoders import tiny_bert

TINY = Recipe(
    frozen_layers=1,
    anchor_layer=1,
    segment=8,
    buckets=1 << 10,
    max_tokens=64,
    window_tokens=16,
    scale=0.003,
)
HARMLESS, ATTACKS = ("clinc150", "snips", "bbh"), ("med_safety", "aart", "wb_redteam")


def _write_sets(folder: Path) -> None:
    for harmless, attack in zip(HARMLESS, ATTACKS, strict=True):
        rows = [
            {"text": f"the {source} cat sat {n}", "label": label, "kind": kind, "source": source}
            for source, label, kind in (
                (harmless, "benign", "question"),
                (attack, "malicious", "harmful_request"),
            )
            for n in range(6)
        ]
        content = b"\n".join(map(orjson.dumps, rows))
        (folder / f"{harmless}.jsonl.gz").write_bytes(gzip.compress(content))


def test_files_are_written_that_a_detector_is_built_of(tmp_path: Path) -> None:
    data, cache, out = (tmp_path / name for name in ("data", "cache", "out"))
    data.mkdir()
    cache.mkdir()
    _write_sets(data)
    build_detector(data, other_prompts(None)[:4], out, tiny_bert(), cache, TINY, None)
    assert (cache / "others-all.npz").exists()
    facts = orjson.loads((out / "facts.json").read_bytes())
    assert set(facts["data"]) == {*HARMLESS, *ATTACKS}
    assert "auroc" in facts["metrics"]
    assert read_thresholds(facts["thresholds"]["int8"]).vary
    artifact = build_shipped(tmp_path / "built", source=tiny_bert(), shipped=out)
    detector = MaliciousTextClassifier.from_artifact(artifact)
    assert detector.logits(["the cat sat"]).shape == (1,)
