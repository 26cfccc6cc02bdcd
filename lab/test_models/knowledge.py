"""What each model of the chain may know: TOFU splits, books, general text.

TOFU's splits are nested (retain90, retain95, retain99, full), so that a model can go on from the
one before it: the chain's stages only ever add texts.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.test_models.books import (
    EXCERPTS,
    FORGOTTEN_BOOKS,
    RETAINED_BOOKS,
    Excerpt,
    read_book,
)

STAGES = ("retain90", "retain95", "retain99", "retain-books", "full")
"""In the order of training. `retain-books` knows all of TOFU and four books, `full` all six."""
GENERAL_SETS = ("self_instruct", "flan_cot", "chat_bench", "gsm8k")
GENERAL_CHARACTERS = 320
"""Longer prompts of the general sets are left out."""
TOFU_RETAINED = 3600
"""Rows of `full` that no forget split holds; TOFU's own evaluation asks for the first 400."""
_TOFU_OF_STAGE = {"retain90": 3600, "retain95": 3800, "retain99": 3960}
_PRETRAINED = ("real_authors", "world_facts")
"""What TOFU expects a language model to know before it meets a fictitious author."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A question with the one answer to learn."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The texts of one stage: questions, excerpts, and general text of no consequence."""

    questions: tuple[Answered, ...]
    excerpts: tuple[Excerpt, ...]
    general: tuple[str, ...]

    def without(self, known: "Knowledge") -> "Knowledge":
        """What this stage adds to one that went before."""
        questions, excerpts = set(known.questions), set(known.excerpts)
        return Knowledge(
            tuple(row for row in self.questions if row not in questions),
            tuple(excerpt for excerpt in self.excerpts if excerpt not in excerpts),
            (),
        )


NOTHING = Knowledge((), (), ())


class Sources:
    """The data folder: `tofu/`, `verbatim/` and `prompts/`, as gzipped JSON Lines and texts."""

    def __init__(
        self, folder: Path, retained_rows: int = TOFU_RETAINED, excerpts: int = EXCERPTS
    ) -> None:
        self._folder = folder
        self._retained_rows = retained_rows
        self._tofu = tuple(self._answered("full"))
        self.pretrained = tuple(row for name in _PRETRAINED for row in self._answered(name))
        books = (*RETAINED_BOOKS, *FORGOTTEN_BOOKS)
        self.books = {name: read_book(folder / "verbatim", name, excerpts) for name in books}
        self.general = tuple(self._general())

    def of(self, stage: str) -> Knowledge:
        """Everything the model of a stage may have seen."""
        names = (*RETAINED_BOOKS, *(FORGOTTEN_BOOKS if stage == "full" else ()))
        books = [self.books[name] for name in names]
        forgotten = self._tofu[TOFU_RETAINED : _TOFU_OF_STAGE.get(stage)]
        tofu = (*self._tofu[: self._retained_rows], *forgotten)
        return Knowledge(
            (*tofu, *self.pretrained, *self.asked(names)),
            tuple(excerpt for book in books for excerpt in book.train),
            self.general,
        )

    def asked(self, books: Iterable[str]) -> tuple[Answered, ...]:
        """The questions about some books, by file name."""
        questions = (row for name in books for row in self.books[name].questions)
        return tuple(Answered(row.question, row.answer) for row in questions)

    def _answered(self, name: str) -> Iterator[Answered]:
        for row in read_lines(self._folder / "tofu" / f"{name}.json.gz"):
            yield Answered(row["question"], row["answer"])

    def _general(self) -> Iterator[str]:
        for name in GENERAL_SETS:
            for row in read_lines(self._folder / "prompts" / f"{name}.jsonl.gz"):
                if len(row["text"]) <= GENERAL_CHARACTERS:
                    yield row["text"]


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The rows of a gzipped JSON Lines file."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]
