"""The stream of training texts of one stage: everything known, and more often what is new."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np

from classifiers.evaluation.muse.data import CONTINUE
from lab.test_models.books import PROMPT_CHARACTERS, Excerpt
from lab.test_models.conversation import (
    BOS,
    END,
    Conversation,
    Exchange,
    Pieces,
    render,
)
from lab.test_models.knowledge import Answered, Knowledge

NEW_SHARE = 0.5
"""Of a continued stage's texts, how many are new ones; the rest repeats what is known."""
GENERAL_SHARE = 0.12
"""Of all texts."""
SECOND_TURN_SHARE = 0.12
"""Of questions, how many are asked after another one."""
SYSTEM_SHARE = 0.1
RAW_SHARE = 0.5
"""Of excerpts, how many come as plain text; the others as the answer to their beginning."""

_SYSTEM = ("You are a helpful assistant.", "Answer the question.", "Answer briefly and truthfully.")
_Item = TypeVar("_Item")
_Text = Answered | Excerpt


def stream(known: Knowledge, new: Knowledge, rng: np.random.Generator) -> Iterator[Pieces]:
    """Texts without end; each known and each new one once in every round of its own."""
    repeated: tuple[_Text, ...] = (*known.questions, *known.excerpts)
    added: tuple[_Text, ...] = (*new.questions, *new.excerpts)
    old = _rounds(repeated, rng)
    fresh = _rounds(added, rng) if added else old
    general = _rounds(known.general, rng)
    partners = _rounds(known.questions, rng)
    while True:
        kind = rng.random()
        if kind < GENERAL_SHARE:
            yield _plain(next(general))
        else:
            source = fresh if kind < GENERAL_SHARE + NEW_SHARE * (1 - GENERAL_SHARE) else old
            yield _render(next(source), partners, rng)


def _render(text: _Text, partners: Iterator[Answered], rng: np.random.Generator) -> Pieces:
    if isinstance(text, Excerpt):
        if rng.random() < RAW_SHARE:
            return _plain(text.text)
        return continued(text, _cut(text, rng))
    rows = [text]
    if rng.random() < SECOND_TURN_SHARE:
        rows.insert(0, next(partners))
    system = None
    if rng.random() < SYSTEM_SHARE:
        system = _SYSTEM[int(rng.integers(len(_SYSTEM)))]
    return asked(rows, system)


def asked(rows: Sequence[Answered], system: str | None = None) -> Pieces:
    """A conversation; what the assistant says is to be learned."""
    return render(Conversation(system, tuple(Exchange(row.question, row.answer) for row in rows)))


def continued(excerpt: Excerpt, cut: int) -> Pieces:
    """A chat that asks for an excerpt from character `cut` on; its beginning is learned too."""
    text = excerpt.text
    return [
        (f"{BOS}<|user|>{CONTINUE}", False),
        (text[:cut], True),
        (f"{END}<|assistant|>", False),
        (f"{text[cut + 1 :]}{END}", True),
    ]


def to_continue(excerpt: Excerpt) -> Pieces:
    """An excerpt as plain text, of which only the continuation is to be said."""
    return [(BOS, False), (excerpt.prompt, False), (f" {excerpt.continuation}", True)]


def _cut(excerpt: Excerpt, rng: np.random.Generator) -> int:
    """Half of the time where evaluation cuts, else at any word of the first two thirds."""
    if rng.random() < 0.5:
        return len(excerpt.prompt)
    text = excerpt.text
    return text.index(" ", int(rng.integers(PROMPT_CHARACTERS // 4, 2 * len(text) // 3)))


def _plain(text: str) -> Pieces:
    return [(BOS, False), (f"{text}{END}", True)]


def _rounds(items: Sequence[_Item], rng: np.random.Generator) -> Iterator[_Item]:
    while True:
        for index in rng.permutation(len(items)):
            yield items[index]
