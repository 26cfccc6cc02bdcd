"""TOFU's files: order, caps, and errors that name the place."""

from pathlib import Path

import pytest

from classifiers.evaluation.tofu.data import read_questions, read_tofu
from guard.terms.errors import ConfigError
from tests.classifiers.evaluation.tofu.files import FACTS, FORGET, write_files


def test_sets_are_read_in_file_order_and_capped(tmp_path: Path) -> None:
    folder = write_files(tmp_path)
    data = read_tofu(folder, "01", rows=2)

    assert [row.question for row in data.sets["forget"]] == [r["question"] for r in FORGET[:2]]
    assert len(read_tofu(folder, "01", rows=0).sets["forget"]) == 3
    assert data.sets["world_facts"][0].correct == FACTS[0]["answer"]
    assert data.sets["forget"][0].correct == FORGET[0]["paraphrased_answer"]
    assert len(data.known) == 2
    assert data.digest != read_tofu(folder, "01").digest
    assert len(read_questions(folder, "retain99")) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", r"forget01_perturbed.json:1: Invalid JSON"),
        ('\n{"question": "Who?"}', r"forget01_perturbed.json:2: answer"),
        (
            '{"question": "Who?", "answer": "A", "perturbed_answer": []}',
            r"forget01_perturbed.json:1: perturbed_answer",
        ),
        ("\n", "holds no rows"),
    ],
)
def test_errors_name_file_line_and_field(tmp_path: Path, content: str, problem: str) -> None:
    folder = write_files(tmp_path)
    (folder / "forget01_perturbed.json").write_text(content)
    with pytest.raises(ConfigError, match=problem):
        read_tofu(folder, "01")


def test_a_missing_or_broken_file_is_named(tmp_path: Path) -> None:
    folder = write_files(tmp_path)
    with pytest.raises(ConfigError, match="holds no forget05_perturbed"):
        read_tofu(folder, "05")
    (folder / "retain99.json.gz").write_bytes(b"no gzip")
    with pytest.raises(ConfigError, match=r"retain99.json.gz"):
        read_tofu(folder, "01")
