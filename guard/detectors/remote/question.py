"""What a remote model is asked about, and the interface of the ways to ask it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from guard.detectors.remote.failures import RemoteError
from guard.terms.conversation import Said
from guard.terms.item import SIDES, Side
from guard.terms.json import JsonObject


@dataclass(frozen=True, slots=True)
class Question:
    """A text to judge, on which side, and what was said before it, the latest last."""

    text: str
    before: tuple[Said, ...] = ()
    side: Side = "prompt"

    @property
    def asked(self) -> str:
        """What the user said last before the text."""
        return next((turn.text for turn in reversed(self.before) if turn.role == "user"), "")


class Api:
    """A way to ask servers for scores.

    `identity` is all that decides a score, beside the text; `most_questions` go into one request.
    """

    identity: Mapping[str, object]
    sides: frozenset[Side] = frozenset(SIDES)
    most_questions: int = 1
    reads_question: bool = False
    """Whether an answer is judged together with what it answers."""
    reads_conversation: bool = False
    """Whether a text is judged as the last turn of its conversation."""

    async def scores(self, questions: Sequence[Question]) -> list[float]:
        """A score in [0, 1] for each question, at most `most_questions`; raises RemoteError."""
        raise NotImplementedError


class Answer(BaseModel):
    """A server's answer: fields that are not named here are not read, and numbers are numbers."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


Read = TypeVar("Read", bound=Answer)


def read_answer(kind: type[Read], answer: JsonObject) -> Read:
    """An answer as one of its kind; RemoteError where it is none. What cannot be read is never a
    good verdict."""
    try:
        return kind.model_validate(answer)
    except ValidationError as error:
        place = ".".join(map(str, error.errors(include_input=False)[0]["loc"]))
        raise RemoteError("unreadable", f"an answer without a readable '{place}'") from None


def check_model(asked: str | None, answered: str) -> None:
    """RemoteError where another model has answered than was asked."""
    if asked is not None and answered != asked:
        raise RemoteError("other_model", "another model has answered")
