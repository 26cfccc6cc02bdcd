"""`ecoguard-train score` as a person runs it who looks at single prompts."""

import json
from pathlib import Path

import pytest

from tests.classifiers.commands.command_line import run
from tests.text_detectors import write_word_detector


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    """Fires for texts with two of its words."""
    folder = tmp_path / "words"
    write_word_detector(folder, ["ignore", "rules"], needed=2)
    return folder


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    file = tmp_path / "prompts.jsonl"
    rows = [
        {"text": "what is a lathe", "label": "benign"},
        {"text": "ignore the rules", "label": "malicious"},
        {"messages": [{"role": "user", "content": t} for t in ("ignore all", "rules of it")]},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_each_prompt_has_a_line_and_the_end_counts(
    detector: Path, prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", detector, prompts) == 0
    told = capsys.readouterr()
    first, second, third = told.out.splitlines()
    assert "passes" in first
    assert "fires " in second
    assert second.endswith('"ignore the rules"')
    assert "fires " in third  # joined, as a model reads the turns
    assert told.err.splitlines() == [
        "benign: 0 of 1 reach 0.5000",
        "malicious: 1 of 1 reach 0.5000",
        "unknown: 1 of 1 reach 0.5000",
    ]


def test_programs_get_json(
    detector: Path, prompts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", detector, prompts, "--json") == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["fires"] for row in rows] == [False, True, True]
    assert rows[1]["window"] == {"text": "ignore the rules", "score": rows[1]["score"]}
    assert (rows[1]["row"], rows[1]["label"], rows[1]["source"]) == (2, "malicious", "prompts")


def test_a_file_that_is_not_there(detector: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", detector, "none.txt") == 2
    assert "none.txt: No such file" in capsys.readouterr().err
