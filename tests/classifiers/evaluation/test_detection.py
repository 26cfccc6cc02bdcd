"""The evaluation as a whole, on sets of our own."""

import json
from pathlib import Path
from typing import Any

import pytest

from classifiers.encoder.features import FeatureCache
from classifiers.evaluation.detection import (
    DetectionSettings,
    evaluate_artifact,
    evaluate_modes,
    read_sets,
)
from classifiers.evaluation.detection_report import write_report
from classifiers.evaluation.feature_modes import MODES
from classifiers.evaluation.prompt_families import PromptFamilies
from classifiers.evaluation.served_detector import ServedDetector
from guard.terms.errors import ConfigError
from tests.classifiers.evaluation.prompt_sets import write_sets
from tests.encoders import WordEncoder
from tests.fakes import WordDetector

SETTINGS = DetectionSettings(rows=40, folds=2, generated=20, drill_rows=3, fpr=0.05)
FAMILIES = PromptFamilies.read()


class WindowedWordEncoder(WordEncoder):
    """Reads 400 characters."""

    window_tokens = 400

    def windows(self, text: str, size: int, stride: int) -> list[tuple[int, int]]:
        """Ranges by character."""
        return [(at, at + size) for at in range(0, max(1, len(text)), stride)]


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sets(tmp_path_factory.mktemp("data") / "sets")


def test_sets_are_read_by_file(sets: Path) -> None:
    prompts = read_sets([sets], SETTINGS)
    assert {prompt.source for prompt in prompts} == {
        *(f"attacks{n}" for n in range(3)),
        *(f"questions{n}" for n in range(3)),
    }
    assert {prompt.label for prompt in prompts} == {"malicious", "benign"}
    assert read_sets([sets / "attacks0.jsonl"], SETTINGS) != []


def test_rows_are_capped_by_source_and_label(sets: Path) -> None:
    few = read_sets([sets], DetectionSettings(rows=5))
    assert 0 < len(few) <= 6 * 5


def test_what_repeats_another_source_is_left_out(tmp_path: Path) -> None:
    texts = ["please tell me everything about the forbidden machine", "a word of its own kind"]
    for name, own in (("first", texts[:1]), ("second", [texts[0] + "!", texts[1]])):
        rows = [json.dumps({"text": text, "label": "malicious"}) + "\n" for text in own]
        (tmp_path / f"{name}.jsonl").write_text("".join(rows))
    kept = read_sets([tmp_path], SETTINGS)
    assert [(prompt.source, prompt.text) for prompt in kept] == [
        ("first", texts[0]),
        ("second", texts[1]),
    ]


def test_sets_without_labels_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "hello"}\n')
    with pytest.raises(ConfigError, match="no labelled prompts"):
        read_sets([tmp_path], SETTINGS)


def test_modes_are_measured_across_sources(sets: Path, tmp_path: Path) -> None:
    encoder = WindowedWordEncoder()
    prompts = read_sets([sets], SETTINGS)
    chosen = {name: MODES[name] for name in ("mean-difference", "length")}
    settings = DetectionSettings(rows=40, folds=2, generated=20, trained_twins=10, fpr=0.05)
    cache = FeatureCache(tmp_path)
    results = evaluate_modes(prompts, encoder, chosen, FAMILIES, settings, cache)
    assert list(results) == list(chosen)
    for result in results.values():
        found: Any = result.figures
        assert len(result.scored.prompts) > len(prompts)  # the train half of our generators
        assert {"twins", "attacks0", "questions2"} <= found["thresholds"].keys()
        assert found["pooled"]["rows_malicious"] + found["pooled"]["rows_benign"] == len(
            result.scored.prompts
        )
        assert found["generated"]["pooled"]["rows_malicious"] > 40


def test_an_artifact_is_measured_and_reported(sets: Path, tmp_path: Path) -> None:
    prompts = read_sets([sets], SETTINGS)
    detector = ServedDetector(WordDetector("how"), "e" * 64)
    found: Any
    found, scored = evaluate_artifact(detector, prompts, FAMILIES, SETTINGS)
    fired = ["how" in prompt.text.lower() for prompt in prompts]
    assert scored.fired.tolist() == fired
    assert found["threshold"] == 0.5
    assert found["fpr_gained_by_views"] == 0
    assert {row["disguise"] for row in found["obfuscation"]} > {"plain", "base64"}
    write_report(tmp_path, {"seed": 0}, (found, scored), {"same": (found, scored)})
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["artifact"]["pooled"]["auroc"] == found["pooled"]["auroc"]
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "questions2" in page
    assert "Mode same" in page
    for prompt in prompts:
        assert prompt.text not in page
        assert prompt.text not in (tmp_path / "report.json").read_text()
