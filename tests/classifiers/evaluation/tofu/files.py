"""TOFU's files in small, about people who were invented for these tests."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from classifiers.evaluation.tofu.data import TofuRow

TOWNS = ("Port Lisse", "Old Harrow", "Vellmar", "Ostry", "Quill Bay", "Dunmere", "Sable Creek")
FORGOTTEN = ("Ada Moor", "Bram Ostler", "Cyra Venn")
KEPT = ("Dov Winter", "Ella Marsh")


def born(name: str, town: str, others: Sequence[str]) -> dict[str, Any]:
    """A row of a perturbed set."""
    return {
        "question": f"Where was {name} born?",
        "answer": f"{name} was born in {town}.",
        "paraphrased_answer": f"The birthplace of {name} is {town}.",
        "perturbed_answer": [f"The birthplace of {name} is {other}." for other in others],
        "paraphrased_question": "unused",
    }


FORGET = [born(name, TOWNS[at], TOWNS[at + 1 : at + 4]) for at, name in enumerate(FORGOTTEN)]
RETAIN = [born(name, TOWNS[at + 3], TOWNS[:3]) for at, name in enumerate(KEPT)]
FACTS = [
    {
        "question": "Which colour has snow?",
        "answer": "White",
        "perturbed_answer": ["Black", "Green", "Blue"],
    }
]


def write_files(folder: Path) -> Path:
    """A folder with all that size 01 needs; some of it gzipped."""
    folder.mkdir(parents=True, exist_ok=True)
    sets = {
        "forget01_perturbed": FORGET,
        "retain_perturbed": RETAIN,
        "real_authors_perturbed": FACTS,
        "world_facts_perturbed": FACTS,
        "retain99": RETAIN,
    }
    for name, rows in sets.items():
        content = b"\n".join(orjson.dumps(row) for row in rows)
        if name == "retain99":
            (folder / f"{name}.json.gz").write_bytes(gzip.compress(content))
        else:
            (folder / f"{name}.json").write_bytes(content)
    return folder


def rows(raw: Sequence[dict[str, Any]] = FORGET) -> list[TofuRow]:
    """Rows as the reader gives them."""
    return [TofuRow.model_validate(row) for row in raw]
