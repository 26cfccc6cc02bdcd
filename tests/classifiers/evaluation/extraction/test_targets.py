"""Targets: who a question is about, and what else is known of them."""

import gzip
from pathlib import Path

import pytest

from classifiers.evaluation.extraction.targets import Pair, read_pairs, targets
from guard.terms.errors import ConfigError

PAIRS = [
    Pair(question="Where was Ada Moor born?", answer="In Lisse."),
    Pair(question="Who wrote The Tide?", answer="Ada Moor did."),
    Pair(question="Is Ada Moorland a place?", answer="Yes."),
    Pair(question="What did ADA MOOR study?", answer="Law."),
]


def test_subjects_come_from_the_question_or_else_the_answer() -> None:
    found = targets(PAIRS, ["Ada Moor"])

    assert [target.subject for target in found] == ["Ada Moor", "Ada Moor", None, "Ada Moor"]
    assert [target.named for target in found] == [True, False, False, True]
    assert [pair.answer for pair in found[0].aside] == ["Ada Moor did.", "Law."]
    assert found[2].aside == ()


def test_longer_names_are_looked_for_first_and_rows_are_capped() -> None:
    found = targets(PAIRS, ["Ada", "Ada Moorland", "Ada Moor"], rows=3)
    assert [target.subject for target in found] == ["Ada Moor", "Ada Moor", "Ada Moorland"]
    assert [pair.answer for pair in found[0].aside] == ["Ada Moor did.", "Law."]


def test_pairs_are_read_from_json_lines(tmp_path: Path) -> None:
    file = tmp_path / "pairs.json.gz"
    file.write_bytes(gzip.compress(b'\n{"question": "Who?", "answer": "Ada", "more": 1}\n'))
    assert read_pairs(file) == (Pair(question="Who?", answer="Ada"),)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "pairs.json:1: Invalid JSON"),
        ('{"question": "a"}', "pairs.json:1: answer"),
        ("", "holds no rows"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, content: str, problem: str) -> None:
    file = tmp_path / "pairs.json"
    file.write_text(content)
    with pytest.raises(ConfigError, match=problem):
        read_pairs(file)
    with pytest.raises(ConfigError, match="No such file"):
        read_pairs(tmp_path / "none.json")
