"""What attackers ask for: questions with gold answers about the subjects of a forget request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from classifiers.prompts.json_rows import read_json_rows


class Pair(BaseModel):
    """A question and its gold answer; TOFU's rows are ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(min_length=1, max_length=20_000)
    answer: str = Field(min_length=1, max_length=20_000)
    perturbed_answer: tuple[str, ...] = ()
    """Wrong ones of the same form, for attacks that give a choice."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing to extract; `subject` is the name that question or answer has, if any.

    `aside` are other pairs about the subject, or about others where it has none.
    """

    pair: Pair
    subject: str | None
    aside: tuple[Pair, ...]

    @property
    def named(self) -> bool:
        """Whether the question itself names the subject."""
        return self.subject is not None and _holds(self.pair.question, self.subject)


def read_pairs(file: Path) -> tuple[Pair, ...]:
    """The pairs of a JSON Lines file, also gzipped; ConfigError naming file, line and field."""
    return read_json_rows(file, Pair)


def targets(pairs: Sequence[Pair], names: Sequence[str], rows: int = 0) -> list[Target]:
    """The first `rows` pairs (0: all) as targets; longer names are looked for first.

    A question that names nobody belongs to the subject that its answer names, if any.
    """
    ordered = sorted(names, key=len, reverse=True)
    subjects = [_subject(pair, ordered) for pair in pairs]
    chosen = range(len(pairs))[: rows or None]
    return [
        Target(
            pairs[at],
            subjects[at],
            tuple(
                other
                for place, other in enumerate(pairs)
                if place != at and subjects[place] == subjects[at]
            ),
        )
        for at in chosen
    ]


def _subject(pair: Pair, names: Sequence[str]) -> str | None:
    for text in (pair.question, pair.answer):
        if found := next((name for name in names if _holds(text, name)), None):
            return found
    return None


def _holds(text: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
