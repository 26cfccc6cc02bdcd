"""A request made of a forget set: names found in the rows, evaluated rows kept apart."""

import gzip
from pathlib import Path

import orjson
import pytest

from classifiers.commands.evaluate_tofu import ForgetSize
from classifiers.evaluation.extraction.targets import Pair
from classifiers.forget.request import read_forget_prompts, read_request, read_retain_prompts
from lab.unlearning.tofu_request import EVALUATED_ROWS, author_name, main

ADA = [
    Pair(question="Where was Ada Moor born?", answer="In Port Lisse."),
    Pair(question="What is Ada Moor's trade?", answer="Ada Moor is a glazier in Port Lisse."),
    Pair(question="Is she known?", answer="Ada Moor is, in Old Harrow."),
]


def write(file: Path, pairs: list[Pair]) -> None:
    lines = [orjson.dumps(pair.model_dump()) for pair in pairs]
    file.write_bytes(gzip.compress(b"\n".join(lines)))


def test_the_author_is_named_in_most_rows() -> None:
    assert author_name(ADA) == "Ada Moor"


def test_a_request_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = [Pair(question=f"Question {n}?", answer="No.") for n in range(EVALUATED_ROWS + 30)]
    write(tmp_path / "forget01.json.gz", ADA * 7)
    write(tmp_path / "retain99.json.gz", kept)

    main(tmp_path, ForgetSize.ONE, tmp_path / "request", retained=10)

    assert read_request(tmp_path / "request").names == ("Ada Moor", "Ada Moor")
    assert len(read_forget_prompts(tmp_path / "request")) == 21
    retained = [prompt.text for prompt in read_retain_prompts(tmp_path / "request")]
    assert retained == [f"Question {EVALUATED_ROWS + 3 * n}?" for n in range(10)]
    assert read_request(tmp_path / "request").aliases == ()
    assert "Ada Moor" in capsys.readouterr().out


def test_dates_become_aliases_where_that_is_wanted(tmp_path: Path) -> None:
    born = Pair(question="Who was born in Port Lisse on 08/09/1956?", answer="Ada Moor.")
    write(tmp_path / "forget01.json.gz", [*ADA, born] * 5)
    write(tmp_path / "retain99.json.gz", [Pair(question="Q?", answer="No.")] * 500)

    main(tmp_path, ForgetSize.ONE, tmp_path / "request", retained=10, dates=True)

    assert "September 8, 1956" in read_request(tmp_path / "request").aliases
