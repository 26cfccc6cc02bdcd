"""One row of the evaluation under one way of asking, and its log file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

PASSAGES = ("forget", "held_out", "retain")
QUESTIONS = ("forget_questions", "retain_questions")


@dataclass(frozen=True, slots=True)
class AskedRow:
    """What the model said, what was to be said, and ROUGE-L F1 between them.

    `corrupted`: whether the guard changed or blocked the prompt.
    """

    answer: str
    gold: str
    rouge: float
    corrupted: bool


Answers = Mapping[str, Sequence[AskedRow]]
"""Rows by set: those of `PASSAGES` and `QUESTIONS` that were asked."""


def write_rows(file: Path, answers: Answers, scores: Mapping[str, Sequence[float]]) -> None:
    """Logs every row, and its Min-K% score where there is one, as JSON Lines.

    The logs hold texts and answers, as TOFU's do; reports do not.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, rows in answers.items():
        found: Sequence[float | None] = scores.get(name) or [None] * len(rows)
        for number, (row, score) in enumerate(zip(rows, found, strict=True)):
            lines.append({"set": name, "row": number, **asdict(row), "min_k": score})
    file.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
