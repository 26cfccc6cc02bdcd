"""The demo's rows and its JSON Lines files: questions, forget and retain prompts."""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.demo.conversation import converse
from lab.demo.people import Population, populate
from lab.demo.questions import Group, QuestionAnswer, Split, ask_about


@dataclass(frozen=True, slots=True)
class DemoData:
    """The people of a demo and every question row: about the forgotten, the retained, general."""

    population: Population
    rows: tuple[QuestionAnswer, ...]

    def select(self, group: Group, split: Split) -> tuple[QuestionAnswer, ...]:
        return tuple(row for row in self.rows if row.group == group and row.split == split)


def generate(seed: int) -> DemoData:
    """The demo's data; the same seed gives the same rows in the same order."""
    population = populate(seed)
    return DemoData(population, (*ask_about(population, seed), *converse()))


def write(folder: Path, data: DemoData) -> None:
    """Writes the JSON Lines files of a demo into `folder`.

    `people.jsonl` and `general.jsonl` hold whole rows. `forget.jsonl` and `retain.jsonl` hold
    prompts for fitting a forget classifier (training wordings), `forget_held_out.jsonl` and
    `retain_held_out.jsonl` those to evaluate it with: {"text": ..., "person": ... or null}.
    `entities.jsonl` names the forgotten people: {"name": ..., "alias": ...}.
    """
    folder.mkdir(parents=True, exist_ok=True)
    people = [row for row in data.rows if row.group != "general"]
    general = [row for row in data.rows if row.group == "general"]
    _write_lines(folder / "people.jsonl", map(dataclasses.asdict, people))
    _write_lines(folder / "general.jsonl", map(dataclasses.asdict, general))
    splits: tuple[tuple[Split, str], ...] = (("train", ""), ("held_out", "_held_out"))
    for split, suffix in splits:
        forget = data.select("forget", split)
        retain = data.select("retain", split) + data.select("general", split)
        _write_lines(folder / f"forget{suffix}.jsonl", _prompts(forget))
        _write_lines(folder / f"retain{suffix}.jsonl", _prompts(retain))
    names = [{"name": p.name, "alias": p.alias} for p in data.population.forgotten]
    _write_lines(folder / "entities.jsonl", names)


def _prompts(rows: Iterable[QuestionAnswer]) -> list[Mapping[str, object]]:
    """One prompt per distinct text: sums and differences share wordings but not texts."""
    return [
        {"text": text, "person": person}
        for text, person in {row.question: row.person for row in rows}.items()
    ]


def _write_lines(path: Path, rows: Iterable[Mapping[str, object]]) -> None:
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")
