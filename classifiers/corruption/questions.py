"""Questions about what is to be forgotten, with the answers that show whether it is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from classifiers.prompts.files import drawn_for, position
from classifiers.prompts.json_rows import read_bytes
from classifiers.prompts.strangers import name_pattern, stranger
from classifiers.statistics.key_phrases import KeyPhrases, Phrase, folded_words
from guard.terms.errors import ConfigError

MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class ForgetQuestion:
    """One question. `answer` is the truth, `paraphrased` the truth in other words (it may be the
    same), `perturbed` are answers of the same form that are wrong, `entities` what must not be
    said; without them the names and figures of the answer stand in."""

    question: str
    answer: str
    paraphrased: str
    perturbed: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What a fingerprint is made of."""
        return self.question

    @property
    def messages(self) -> list[dict[str, str]]:
        """The question as a chat."""
        return [{"role": "user", "content": self.question}]

    def leaked(self, output: str) -> bool:
        """Whether an output says an entity, or else a name or figure of the answer."""
        if not self.entities:
            return KeyPhrases.of(self.question, self.answer).leaked(output)
        words = folded_words(output)
        return any(Phrase(name, folded_words(name)).is_in(words) for name in self.entities)


def read_questions(file: Path) -> list[ForgetQuestion]:
    """JSON Lines, plain or `.gz`, in TOFU's columns; raises ConfigError naming file and line.

    Each row has `question` and `answer`, and may have `paraphrased_answer`, `perturbed_answer`
    (or `perturbed_answers`: a list) and `entities` (or `entity`); other keys are ignored.
    """
    lines = read_bytes(file).splitlines()
    rows = [_question(f"{file}:{at}", line) for at, line in enumerate(lines, 1) if line.strip()]
    if not 0 < len(rows) <= MOST_ROWS:
        raise ConfigError(f"{file}: {len(rows)} questions; 1 to {MOST_ROWS} are needed")
    return rows


def subsample(questions: Sequence[ForgetQuestion], count: int) -> list[int]:
    """Places of `count` questions (0: all) that a hash of their text chooses; rising."""
    if not 0 < count < len(questions):
        return list(range(len(questions)))
    places = sorted(range(len(questions)), key=lambda at: position(questions[at].question))
    return sorted(places[:count])


def about_strangers(
    questions: Sequence[ForgetQuestion], names: Sequence[str], seed: int
) -> list[ForgetQuestion]:
    """The same questions and answers with each name replaced by one that nobody has.

    A model that never met the forgotten answers about them as about any stranger. Questions
    without a name are left out; raises ConfigError where that leaves none.
    """
    found = []
    pattern = name_pattern(names)
    for row in questions:
        if not pattern.search(row.question):
            continue
        other = stranger(names, drawn_for(row.question, seed))
        found.append(_renamed(row, pattern, other))
    if not found:
        raise ConfigError("names: no question holds one, so none can be asked about a stranger")
    return found


def _renamed(row: ForgetQuestion, pattern: re.Pattern[str], name: str) -> ForgetQuestion:
    def renamed(text: str) -> str:
        return pattern.sub(lambda _: name, text)

    return replace(
        row,
        question=renamed(row.question),
        answer=renamed(row.answer),
        paraphrased=renamed(row.paraphrased),
        perturbed=tuple(map(renamed, row.perturbed)),
    )


def _question(place: str, line: bytes) -> ForgetQuestion:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{place}: not JSON ({error.msg})") from error
    if not isinstance(row, dict):
        raise ConfigError(f"{place}: expected an object")
    question, answer = _text(place, row, "question"), _text(place, row, "answer")
    paraphrased = _text(place, row, "paraphrased_answer") if "paraphrased_answer" in row else answer
    perturbed = _texts(place, row, "perturbed_answer", "perturbed_answers")
    entities = _texts(place, row, "entities", "entity")
    return ForgetQuestion(question, answer, paraphrased, perturbed, entities)


def _text(place: str, row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{place}: {key}: expected a non-empty string")
    return value


def _texts(place: str, row: dict[str, Any], *keys: str) -> tuple[str, ...]:
    key = next((key for key in keys if row.get(key)), None)
    if key is None:
        return ()
    values = row[key] if isinstance(row[key], list) else [row[key]]
    if not all(isinstance(value, str) and value.strip() for value in values):
        raise ConfigError(f"{place}: {key}: expected a list of non-empty strings")
    return tuple(values)
