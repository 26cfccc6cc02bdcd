"""`ecoguard-train evaluate forget`: a classifier on questions in other words."""

import json
from pathlib import Path

import numpy as np
import pytest

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from tests.classifiers.commands.command_line import run
from tests.encoders import tiny_artifact


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """Knows a name, and nothing else."""
    encoder = read(tiny_artifact()).manifest
    width = int(str(encoder.recipe["width"]))
    tensors = {"weight": np.zeros(width, np.float32), "bias": np.full(1, -20, np.float32)}
    manifest = draft("forget", "r", encoder=encoder.digest, thresholds={"score": 0.5})
    files = {"names.json": b'["Ilse Varnholt"]'}
    write(tmp_path / "r", manifest, tensors=tensors, files=files)
    return tmp_path / "r"


def test_what_is_missed_comes_first(
    classifier: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked, kept, report = (tmp_path / name for name in ("asked.txt", "kept.txt", "r.json"))
    asked.write_text("Who is Ilse Varnholt?\nWho restored the lamps of Brund?\n")
    kept.write_text("What is a lathe?\nIs Ilse Varnholt a common name?\n")
    files = (classifier, asked, "--encoder", tiny_artifact(), "--retain", kept)
    assert run("evaluate", "forget", *files, "--report", report) == 0
    assert capsys.readouterr().out.splitlines() == [
        "missed: 1 of 2",
        "false alarms: 1 of 2",
        '  missed  0.0000  "Who restored the lamps of Brund?"',
        '  false alarm  1.0000  "Is Ilse Varnholt a common name?"',
    ]
    assert json.loads(report.read_bytes()) == {
        "missed": 1,
        "asked": 2,
        "false_alarms": 1,
        "kept": 2,
        "threshold": 0.5,
    }
