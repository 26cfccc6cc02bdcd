"""`ecoguard-train import` as an operator runs it, to an artifact that a configuration names."""

from pathlib import Path

import pytest

from guard.detectors.kinds import load_detectors
from guard.settings import Settings
from tests.classifiers.commands.command_line import run
from tests.classifiers.encoder.classifiers_to_import import write_classifier


def test_an_imported_model_is_an_artifact_like_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = write_classifier(tmp_path / "model", "bert")
    assert run("import", source, "--out", tmp_path / "out") == 2
    assert "the model's classes are SAFE, INJECTION, OTHER" in capsys.readouterr().err
    assert run("import", source, "--unsafe", "INJECTION", "--out", tmp_path / "out") == 0
    settings = Settings.model_validate(
        {
            "upstream": {"url": "http://127.0.0.1:9"},
            "detectors": {"own": {"kind": "artifact", "path": tmp_path / "out"}},
        }
    )
    _, detectors = load_detectors(settings)
    (score,) = detectors["own"].score(["attack now"], None)
    assert 0 <= score <= 1
