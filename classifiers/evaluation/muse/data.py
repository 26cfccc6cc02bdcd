"""What MUSE asks about: passages that are forgotten, held out or retained, and questions.

forget.jsonl            passages the model was trained on and must not know: prompt, continuation
held_out.jsonl          passages of the same sources that it was not trained on
retain.jsonl            passages it may know
forget_questions.jsonl  question, answer, passage: the number, from 0, of the forget passage
retain_questions.jsonl  question, answer
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from classifiers.prompts.json_rows import read_bytes, read_json_rows
from guard.terms.errors import ConfigError

CONTINUE = "Continue this text: "
"""What a chat model is told before the beginning of a passage."""
FORGET, HELD_OUT, RETAIN = "forget.jsonl", "held_out.jsonl", "retain.jsonl"
FORGET_QUESTIONS, RETAIN_QUESTIONS = "forget_questions.jsonl", "retain_questions.jsonl"
Text = Annotated[str, Field(min_length=1, max_length=20_000)]


class Passage(BaseModel):
    """A text in two parts; `continuation` is at most 128 of the model's tokens."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    prompt: Text
    continuation: Text

    @property
    def request(self) -> str:
        """What the model is asked."""
        return f"{CONTINUE}{self.prompt}"


class Question(BaseModel):
    """A question on a passage; `passage` is the forget passage's number, from 0."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: Text
    answer: Text
    passage: Annotated[int, Field(ge=0)] = 0


Row = TypeVar("Row", Passage, Question)


@dataclass(frozen=True, slots=True)
class MuseData:
    """The rows of all files, and a hash of them."""

    forget: Sequence[Passage]
    held_out: Sequence[Passage]
    retain: Sequence[Passage]
    forget_questions: Sequence[Question]
    retain_questions: Sequence[Question]
    digest: str


def read_muse(folder: Path, rows: int = 0) -> MuseData:
    """The data of a folder; with `rows`, so many rows of each file, evenly spaced, and the
    questions on the forget passages that are left. ConfigError names file and line."""
    digest = hashlib.sha256(str(rows).encode())
    passages = [_read(folder, name, Passage, digest) for name in (FORGET, HELD_OUT, RETAIN)]
    asked = [_read(folder, name, Question, digest) for name in (FORGET_QUESTIONS, RETAIN_QUESTIONS)]
    if any(question.passage >= len(passages[0]) for question in asked[0]):
        raise ConfigError(f"{folder / FORGET_QUESTIONS}: passage: there is no such forget passage")
    kept = _spread(len(passages[0]), rows)
    number = {old: new for new, old in enumerate(kept)}
    questions = [
        question.model_copy(update={"passage": number[question.passage]})
        for question in asked[0]
        if question.passage in number
    ]
    forget, held_out, retain = ([p[i] for i in _spread(len(p), rows)] for p in passages)
    retained = [asked[1][i] for i in _spread(len(asked[1]), rows)]
    return MuseData(forget, held_out, retain, questions, retained, digest.hexdigest())


def _spread(count: int, rows: int) -> list[int]:
    """`rows` of `count` numbers, evenly spaced; all where `rows` is 0 or more than there are."""
    if not rows or rows >= count:
        return list(range(count))
    return [index * count // rows for index in range(rows)]


def _read(folder: Path, name: str, kind: type[Row], digest: "hashlib._Hash") -> tuple[Row, ...]:
    digest.update(read_bytes(folder / name))
    return read_json_rows(folder / name, kind)
