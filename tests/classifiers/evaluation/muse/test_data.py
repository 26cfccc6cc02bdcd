"""Reading MUSE's files: rows that are left, and sentences on what is wrong."""

from pathlib import Path

import pytest

from classifiers.evaluation.muse.data import FORGET, FORGET_QUESTIONS, HELD_OUT, read_muse
from guard.terms.errors import ConfigError
from tests.classifiers.evaluation.muse.files import write_files


def test_all_rows_are_read(tmp_path: Path) -> None:
    found = read_muse(write_files(tmp_path))
    assert len(found.forget) == len(found.held_out) == len(found.retain) == 12
    assert found.forget[0].request == f"Continue this text: {found.forget[0].prompt}"
    assert found.forget_questions[3].passage == 3


def test_fewer_rows_keep_the_questions_on_them(tmp_path: Path) -> None:
    found = read_muse(write_files(tmp_path), rows=4)
    assert [passage.prompt.split()[7] for passage in found.forget] == ["0,", "3,", "6,", "9,"]
    for asked in found.forget_questions:
        number = asked.question.partition("part ")[2].split(":")[0]
        assert f"part {number}," in found.forget[asked.passage].prompt
    assert len(found.forget_questions) == len(found.retain_questions) == 4


def test_the_digest_is_that_of_the_rows(tmp_path: Path) -> None:
    one = write_files(tmp_path)
    whole = read_muse(one).digest
    assert read_muse(one).digest == whole != read_muse(one, 4).digest
    (one / HELD_OUT).write_bytes((one / HELD_OUT).read_bytes().replace(b"sealed", b"closed"))
    assert read_muse(one).digest != whole


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (FORGET, "", "holds no rows"),
        (FORGET, '{"prompt": "a"}', r"forget\.jsonl:1: continuation: Field required"),
        (FORGET, "{", r"forget\.jsonl:1: Invalid JSON"),
        (
            FORGET_QUESTIONS,
            '{"question": "a", "answer": "b", "passage": 12}',
            "passage: there is no such forget passage",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, name: str, content: str, message: str) -> None:
    (write_files(tmp_path) / name).write_text(content)
    with pytest.raises(ConfigError, match=message) as error:
        read_muse(tmp_path)
    assert str(tmp_path / name) in str(error.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"forget\.jsonl: No such file"):
        read_muse(tmp_path)
