"""The files of a demo: what a forget classifier is fitted on and measured with."""

import json
from pathlib import Path
from typing import Any

from lab.demo.data import DemoData, generate, write


def _read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _texts(folder: Path, name: str) -> set[str]:
    return {row["text"] for row in _read(folder / f"{name}.jsonl")}


def _written(folder: Path) -> DemoData:
    data = generate(3)
    write(folder, data)
    return data


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        _written(tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_forget_prompts_are_about_forgotten_people_in_training_wordings(tmp_path: Path) -> None:
    data = _written(tmp_path)
    expected = {row.question for row in data.select("forget", "train")}
    assert _texts(tmp_path, "forget") == expected
    forgotten = {person.name for person in data.population.forgotten}
    assert {row["person"] for row in _read(tmp_path / "forget.jsonl")} == forgotten


def test_retain_prompts_are_about_others_and_general(tmp_path: Path) -> None:
    data = _written(tmp_path)
    people = {row["person"] for row in _read(tmp_path / "retain.jsonl")}
    assert people == {None} | {person.name for person in data.population.retained}


def test_held_out_prompts_are_not_among_those_to_fit_with(tmp_path: Path) -> None:
    _written(tmp_path)
    fitted = _texts(tmp_path, "forget") | _texts(tmp_path, "retain")
    held_out = _texts(tmp_path, "forget_held_out") | _texts(tmp_path, "retain_held_out")
    assert fitted.isdisjoint(held_out)
    assert _texts(tmp_path, "forget").isdisjoint(_texts(tmp_path, "retain"))


def test_rows_hold_what_tofu_metrics_read(tmp_path: Path) -> None:
    data = _written(tmp_path)
    rows = _read(tmp_path / "people.jsonl") + _read(tmp_path / "general.jsonl")
    assert len(rows) == len(data.rows)
    fields = {"question", "answer", "entity", "person", "attribute", "paraphrased_answer"}
    assert all(fields | {"perturbed_answers", "split", "group"} == set(row) for row in rows)


def test_names_of_the_forgotten_are_listed(tmp_path: Path) -> None:
    data = _written(tmp_path)
    expected = [{"name": p.name, "alias": p.alias} for p in data.population.forgotten]
    assert _read(tmp_path / "entities.jsonl") == expected
