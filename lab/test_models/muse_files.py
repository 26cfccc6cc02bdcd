"""The books as MUSE asks about them: passages, questions, and a forget request for two books."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import yaml

from classifiers.evaluation.muse import data as muse
from classifiers.evaluation.muse.data import Passage, Question
from classifiers.evaluation.muse.folds import forget_prompts
from classifiers.forget.request import FORGET, REQUEST, RETAIN
from classifiers.prompts.files import Prompt
from lab.test_models.books import FORGOTTEN_BOOKS, RETAINED_BOOKS, Book, Excerpt
from lab.test_models.knowledge import Sources

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

CONTINUED_TOKENS = 128
"""MUSE's continuations (arXiv 2407.06460, section 3.1, criterion 1)."""


def write_muse(folder: Path, sources: Sources, tokenizer: "PreTrainedTokenizerFast") -> None:
    """Writes the data that `ecoguard-train evaluate muse` reads, and `request/`, a forget request
    for the forgotten books with the retained ones as retain prompts."""
    forgotten = [sources.books[name] for name in FORGOTTEN_BOOKS]
    retained = [sources.books[name] for name in RETAINED_BOOKS]
    train = [excerpt for book in forgotten for excerpt in book.train]
    forget = _passages(train, tokenizer)
    held_out = _passages((e for book in forgotten for e in book.held_out), tokenizer)
    retain = _passages((e for book in retained for e in book.train), tokenizer)
    number = {(excerpt.book, excerpt.number): index for index, excerpt in enumerate(train)}
    asked, others = _questions(forgotten, number), _questions(retained, {})
    for name, rows in (
        (muse.FORGET, forget),
        (muse.HELD_OUT, held_out),
        (muse.RETAIN, retain),
        (muse.FORGET_QUESTIONS, asked),
        (muse.RETAIN_QUESTIONS, others),
    ):
        _write_lines(folder / name, (row.model_dump() for row in rows))
    request = folder / "request"
    _write_lines(request / FORGET, _prompts(forget_prompts(forget, asked)))
    _write_lines(request / RETAIN, _prompts(forget_prompts(retain, others)))
    (request / REQUEST).write_text(yaml.safe_dump(_described(forgotten)), "utf-8")


def _described(books: Iterable[Book]) -> dict[str, str]:
    return {
        "name": "two-books",
        "reason": "Measuring how well passages of books are forgotten.",
        "contact": "whoever runs the evaluation",
        "scope": "; ".join(book.title for book in books),
    }


def _passages(excerpts: Iterable[Excerpt], tokenizer: "PreTrainedTokenizerFast") -> list[Passage]:
    return [
        Passage(prompt=e.prompt, continuation=_cut(e.continuation, tokenizer)) for e in excerpts
    ]


def _cut(text: str, tokenizer: "PreTrainedTokenizerFast") -> str:
    """The text's first `CONTINUED_TOKENS` tokens."""
    ids = tokenizer(text, add_special_tokens=False)["input_ids"][:CONTINUED_TOKENS]
    return str(tokenizer.decode(ids))


def _questions(books: Iterable[Book], number: Mapping[tuple[str, int], int]) -> list[Question]:
    return [
        Question(
            question=row.question,
            answer=row.answer,
            passage=number.get((row.book, row.excerpt), 0),
        )
        for book in books
        for row in book.questions
    ]


def _prompts(prompts: Iterable[Prompt]) -> list[Mapping[str, Any]]:
    return [{"text": prompt.text, "group": prompt.group} for prompt in prompts]


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
