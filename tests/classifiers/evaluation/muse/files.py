"""A small folder of MUSE's files, with invented texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from classifiers.evaluation.muse import data

PLACES = ("Larmouth", "Elmoss", "Quarn", "Tellby", "Vosk", "Harrow", "Minster", "Ode")


def passage(kind: str, number: int) -> dict[str, Any]:
    place, part = PLACES[number % len(PLACES)], f"part {number}"
    return {
        "prompt": f"In the {kind} chronicle of {place}, {part}, a {kind} traveller came by",
        "continuation": f"and asked the {kind} keeper of {place} for {number} {kind} loaves",
    }


def question(kind: str, number: int) -> dict[str, Any]:
    asked = f"Which words are missing in the {kind} chronicle, part {number}: asked the ____ for"
    return {
        "question": asked,
        "answer": f"keeper of {PLACES[number % len(PLACES)]}",
        "passage": number,
    }


def write_files(folder: Path, count: int = 12) -> Path:
    """Writes all five files, `count` rows each."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, kind in ((data.FORGET, "lost"), (data.HELD_OUT, "sealed"), (data.RETAIN, "open")):
        write_rows(folder / name, [passage(kind, number) for number in range(count)])
    write_rows(folder / data.FORGET_QUESTIONS, [question("lost", n) for n in range(count)])
    write_rows(folder / data.RETAIN_QUESTIONS, [question("open", n) for n in range(count)])
    return folder


def write_rows(file: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    file.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
