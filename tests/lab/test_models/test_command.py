"""`python -m lab.test_models` as a user runs it: five checkpoints and a table, or one sentence."""

from pathlib import Path

import pytest

from lab.test_models import __main__ as models
from lab.test_models.knowledge import STAGES
from tests.lab.test_models.invented import SMALL_PLAN, write_data


def _run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        models.main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def test_missing_data_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path / "models", "--data", tmp_path) == 2
    assert capsys.readouterr().err.strip() == f"{tmp_path / 'tofu'}: no such folder"
    assert not (tmp_path / "models").exists()


def test_five_models_and_what_they_know(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(models, "DEFAULTS", SMALL_PLAN)
    data = write_data(tmp_path / "data", 60)
    out = tmp_path / "models"
    lengths = ("--first-steps", 1, "--next-steps", 1, "--last-steps", 1)
    assert _run(out, "--data", data, "--retained-rows", 400, *lengths) == 0
    assert {path.name for path in (tmp_path / "models").glob("[a-z]*")} == {
        *(*STAGES, "muse", "record.json"),
    }
    shown = capsys.readouterr().out
    assert "Share of right tokens" in shown
    assert "forget01" in shown
