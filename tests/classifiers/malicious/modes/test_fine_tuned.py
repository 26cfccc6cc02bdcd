"""Mode `fine-tuned` through the whole training, on a tiny transformer."""

import json
from collections.abc import Sequence
from pathlib import Path

from classifiers.malicious.recipe import MaliciousRecipe
from classifiers.malicious.training import train_malicious
from classifiers.prompts.labelled import LabelledPrompt
from guard.artifacts.manifest import PAGE, REPORT
from guard.detectors.kinds import load_detector
from tests.classifiers.malicious.prompts import attacks, requests
from tests.encoders import tiny_bert

SOURCES: dict[str, Sequence[LabelledPrompt]] = {
    "labelled": [*requests(90, 5, "benign"), *attacks(60, 6)],
    "validation": [*requests(40, 7, "benign"), *attacks(40, 8)],
}


def test_it_is_written_with_the_reports_of_every_mode(tmp_path: Path) -> None:
    recipe = MaliciousRecipe(
        mode="fine-tuned",
        labelled=("labelled",),
        validation=("validation",),
        generated=False,
        base=str(tiny_bert()),
        cache=tmp_path / "cache",
        fpr=0.2,
        modes={"fine-tuned": {"epochs": 3, "rate": 3e-3, "max_tokens": 64, "frozen_layers": 1}},
    )
    first = train_malicious(recipe, None, tmp_path / "a", read=SOURCES.__getitem__)
    report = json.loads(first.bytes_of(REPORT))
    assert report["mode"] == "fine-tuned"
    assert report["modes"]["fine-tuned"]["auroc"] > 0.9
    assert set(report["baselines"]) == {"random", "length", "tf-idf"}
    assert b"fine-tuned" in first.bytes_of(PAGE)
    assert first.manifest.recipe["fpr"] == 0.2
    detector = load_detector(tmp_path / "a", None)
    texts = [prompt.text for prompt in [*requests(20, 31), *attacks(20, 32)]]
    scores = detector.score(texts, None)
    assert scores[20:].mean() > scores[:20].mean() + 0.2

    # Nothing is trained again: the finished model lies in the cache.
    made = next((tmp_path / "cache").rglob("fine-tuned/manifest.json")).stat().st_mtime_ns
    again = train_malicious(recipe, None, tmp_path / "b", read=SOURCES.__getitem__)
    assert again.manifest.digest == first.manifest.digest
    assert next((tmp_path / "cache").rglob("fine-tuned/manifest.json")).stat().st_mtime_ns == made
