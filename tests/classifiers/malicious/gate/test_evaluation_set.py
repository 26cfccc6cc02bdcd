"""Gate sets from files: which rows are hard, which language, and what is refused."""

import json
from pathlib import Path

import pytest

from classifiers.malicious.gate.evaluation_set import gate_row, read_gate_set
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.errors import ConfigError

ROWS = [
    {"text": "How do I kill a process?", "label": "benign", "kind": "hard-benign"},
    {"text": "How do I kill a frog?", "label": "benign", "source": "twins"},
    {"text": "Wie ist das Wetter in der Stadt?", "label": "benign"},
    {"text": "How to hurt a person", "label": "malicious", "kind": "request"},
    {"text": "How to hurt a person", "label": "malicious", "kind": "again"},
]


def write(folder: Path, rows: list[dict[str, str]]) -> str:
    file = folder / "gate.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def test_a_gate_set(tmp_path: Path) -> None:
    found = read_gate_set([write(tmp_path, ROWS)])
    assert found.hard_benign.tolist() == [True, True, False, False]
    assert found.benign.tolist() == [False, False, True, False]
    assert found.chosen(found.malicious) == ["How to hurt a person"]
    assert [row.language for row in found.rows] == ["en", "en", "de", "en"]
    assert found.rows[-1].kind == "request"


@pytest.mark.parametrize("label", ["malicious", "benign"])
def test_a_missing_class_is_named(tmp_path: Path, label: str) -> None:
    other = [row for row in ROWS if row["label"] != label]
    with pytest.raises(ConfigError, match=f"gate.jsonl: the gate set has no {label} prompt"):
        read_gate_set([write(tmp_path, other)])


def test_rows_without_label_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="label: every prompt of a gate set needs one"):
        read_gate_set([write(tmp_path, [*ROWS, {"text": "x"}])])
    with pytest.raises(ValueError, match="label"):
        gate_row(LabelledPrompt("x", "s"))


def test_malicious_rows_are_never_hard() -> None:
    assert not gate_row(LabelledPrompt("x", "twins", "malicious", "hard-benign")).hard
