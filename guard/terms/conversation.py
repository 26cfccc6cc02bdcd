"""A text as the last turn of its conversation, for models that judge it so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal, NamedTuple

from guard.terms.item import Author, Content, Item

RULES: frozenset[Author] = frozenset({"developer", "operator"})
"""Their texts are no turns."""


class Said(NamedTuple):
    """An earlier turn of a conversation, by the user (or who was quoted to the model) or by the
    model."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class LastTurn:
    """A text as the last turn of a conversation: `before` is what was said, the latest last."""

    text: str
    before: tuple[Said, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of all that was said and by whom."""
        parts = [part for said in self.before for part in said] + [self.text]
        framed = (f"{len(part)}:{part}" for part in parts)
        return sha256("".join(framed).encode("utf-8", "surrogatepass")).hexdigest()


Asked = Content | LastTurn
"""What a detector that waits for a server is asked about."""


def turns_of(items: Iterable[Item]) -> list[Said]:
    """What user and model have said; what quotes a third party reached the model as theirs."""
    return [
        Said("assistant" if item.author == "assistant" else "user", item.text)
        for item in items
        if item.text.strip() and item.author not in RULES
    ]


def latest(turns: Sequence[Said], characters: int) -> tuple[Said, ...]:
    """The last turns, at most so many characters; the first of them loses its beginning."""
    kept: list[Said] = []
    for turn in reversed(turns):
        if characters <= 0:
            break
        kept.append(Said(turn.role, turn.text[-characters:]))
        characters -= len(turn.text)
    return tuple(reversed(kept))
