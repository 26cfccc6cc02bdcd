"""What attackers ask for: questions with gold answers about the subjects of a forget request."""

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guard.errors import ConfigError


class Pair(BaseModel):
    """A question and its gold answer; TOFU's rows are ones."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(min_length=1, max_length=20_000)
    answer: str = Field(min_length=1, max_length=20_000)


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


def read_pairs(file: Path) -> list[Pair]:
    """The pairs of a JSON Lines file, also gzipped; ConfigError naming file, line and field."""
    try:
        raw = file.read_bytes()
        content = gzip.decompress(raw) if file.suffix == ".gz" else raw
    except (OSError, EOFError) as error:
        raise ConfigError(f"{file}: {getattr(error, 'strerror', None) or error}") from error
    found = []
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            found.append(Pair.model_validate(orjson.loads(line)))
        except orjson.JSONDecodeError as error:
            raise ConfigError(f"{file}:{number}: not JSON ({error.msg})") from error
        except ValidationError as error:
            problem = error.errors(include_input=False, include_url=False)[0]
            key = ".".join(str(step) for step in problem["loc"])
            raise ConfigError(f"{file}:{number}: {key}: {problem['msg']}") from error
    if not found:
        raise ConfigError(f"{file}: holds no pairs")
    return found


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
