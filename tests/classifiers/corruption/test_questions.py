"""Questions: read, chosen, and asked about strangers."""

import gzip
from pathlib import Path

import pytest

from classifiers.corruption.questions import (
    ForgetQuestion,
    about_strangers,
    read_questions,
    subsample,
)
from guard.terms.errors import ConfigError

ROW = ForgetQuestion(
    "Who is Ann Li?", "Ann Li is a baker in Oslo.", "A baker: Ann Li.", ("Ann Li is a cook.",)
)


def test_rows_are_read_in_tofus_columns(tmp_path: Path) -> None:
    line = (
        b'{"question": "Q?", "answer": "A.", "paraphrased_answer": "B.", "more": 1,'
        b' "perturbed_answer": ["C.", "D."], "entity": "Ann"}\n\n'
        b'{"question": "R?", "answer": "E."}\n'
    )
    (tmp_path / "plain.jsonl").write_bytes(line)
    (tmp_path / "packed.json.gz").write_bytes(gzip.compress(line))
    first, second = read_questions(tmp_path / "plain.jsonl")
    assert first == ForgetQuestion("Q?", "A.", "B.", ("C.", "D."), ("Ann",))
    assert second == ForgetQuestion("R?", "E.", "E.")
    assert read_questions(tmp_path / "packed.json.gz") == [first, second]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "0 questions"),
        (b"{", "q:1: not JSON"),
        (b"[]", "q:1: expected an object"),
        (b'{"question": "Q?"}', "q:1: answer"),
        (b'{"question": " ", "answer": "A"}', "q:1: question"),
        (b'{"question": "Q", "answer": "A", "perturbed_answers": [1]}', "perturbed_answers"),
    ],
)
def test_bad_rows_are_named(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "q").write_bytes(content)
    with pytest.raises(ConfigError, match=problem):
        read_questions(tmp_path / "q")


def test_a_part_stays_the_same_when_questions_are_added() -> None:
    rows = [ForgetQuestion(f"Question {at}?", "A", "A") for at in range(50)]
    chosen = subsample(rows, 10)
    assert len(chosen) == 10
    assert chosen == sorted(set(chosen))
    assert subsample(rows, 0) == subsample(rows, 99) == list(range(50))
    assert len(set(chosen) & set(subsample([*rows, ForgetQuestion("New?", "A", "A")], 10))) >= 9


def test_strangers_have_the_forgotten_ones_place_in_all_texts() -> None:
    unnamed = ForgetQuestion("What is rye?", "A grain.", "A grain.")
    (row,) = about_strangers([ROW, unnamed], ["Ann Li"], seed=1)
    name = row.question.removeprefix("Who is ").removesuffix("?")
    assert name != "Ann Li"
    assert row.answer == f"{name} is a baker in Oslo."
    assert row.paraphrased == f"A baker: {name}."
    assert row.perturbed == (f"{name} is a cook.",)
    with pytest.raises(ConfigError, match="no question holds one"):
        about_strangers([unnamed], ["Ann Li"], seed=1)


def test_a_leak_is_an_entity_or_what_the_answer_names() -> None:
    assert ROW.leaked("She lives in oslo, I think.")
    assert not ROW.leaked("Ann Li is a person.")
    named = ForgetQuestion("Who?", "A baker.", "A baker.", entities=("rye bread",))
    assert named.leaked("Known for Rye Bread.")
    assert not named.leaked("A baker.")
