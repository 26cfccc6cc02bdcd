"""Every form of a name is found, and strangers are let be; the bench runs."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from guard.detectors.names.matcher import NameIndex
from lab.unlearning.name_forms import FORMS
from lab.unlearning.names import common_names, found, main, ordinary, people, strangers

PEOPLE = people(np.random.default_rng(3), 40)
INDEX = NameIndex([(" ".join(name),) for name in PEOPLE], [(last, given) for given, last in PEOPLE])

SCRIPTS = {"Greek": 0.5, "Arabic": 0.5, "Hangul": 0.5, "kana": 0.5, "Chinese": 0.35}
"""Shares of invented people that are found: short names have too few consonants."""


@pytest.mark.parametrize("form", FORMS)
def test_forms_are_found(form: str) -> None:
    assert found(INDEX, PEOPLE, form, 0) >= SCRIPTS.get(form, 0.9)


def test_strangers_are_not() -> None:
    shares = dict(strangers(INDEX, PEOPLE, (), np.random.default_rng(4)))
    assert len(shares) == 6
    assert max(shares.values()) <= 0.01


def test_the_bench_prints_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"text": f"What is {n} and {n}?", "label": "benign"} for n in range(5)]
    rows.append({"text": "James Smith", "label": "malicious"})
    with gzip.open(tmp_path / "a.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    assert len(list(ordinary(tmp_path, 9, np.random.default_rng(0)))) == 5
    main(data=tmp_path, owners=8, prompts=9)
    printed = capsys.readouterr().out
    assert "ordinary prompts: 0 of 5" in printed
    assert "1000 requests" in printed


def test_whole_names_are_counted_apart() -> None:
    assert common_names(["Mary Smith", "Mary Smth said", "nobody"], 1, None) == (2, 1)
