"""`ecoguard-train evaluate detection` as an operator runs it."""

import json
from pathlib import Path

import pytest

from tests.classifiers.commands.command_line import run
from tests.classifiers.evaluation.prompt_sets import write_sets
from tests.encoders import tiny_artifact


def test_a_mode_is_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sets = write_sets(tmp_path / "sets", rows=20)
    options = ["--encoder", tiny_artifact(), "--mode", "length", "--cache", tmp_path / "cache"]
    few = ["--rows", 20, "--folds", 2, "--generated", 5, "--fpr", 0.1]
    arguments = [sets, "--out", tmp_path / "out", *options, *few]
    assert run("evaluate", "detection", *arguments) == 0
    assert str(tmp_path / "out" / "report.html") in capsys.readouterr().out.replace("\n", "")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["artifact"] is None
    assert report["settings"]["fpr"] == 0.1
    assert report["modes"]["length"]["pooled"]["rows_benign"] > 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "give --artifact or --mode"),
        (["--mode", "guess"], "--mode guess: expected one of logistic"),
        (["--mode", "length"], "--mode needs --encoder"),
        (["--artifact", "absent"], "absent"),
        (["--mode", "length", "--families", "absent.yaml"], "absent.yaml"),
    ],
)
def test_what_cannot_be_evaluated_is_said(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    problem: str,
) -> None:
    sets = write_sets(tmp_path / "sets", rows=2)
    arguments = [sets, "--out", tmp_path / "out", *options]
    assert run("evaluate", "detection", *arguments) == 2
    assert problem in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
