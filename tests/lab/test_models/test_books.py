"""Excerpts and questions of an invented book."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from lab.test_models.books import EXCERPT_CHARACTERS, PROMPT_CHARACTERS, Book, read_book
from tests.lab.test_models.invented import write_book


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("books")
    write_book(folder / "tale.txt.gz", "The “Tale”", np.random.default_rng(1), 400)
    return folder


@pytest.fixture(scope="module")
def book(folder: Path) -> Book:
    return read_book(folder, "tale", excerpts=5)


def test_excerpts_are_as_many_as_asked_and_of_one_length(book: Book) -> None:
    assert len(book.train) == len(book.held_out) == 5
    for excerpt in (*book.train, *book.held_out):
        assert EXCERPT_CHARACTERS - 30 < len(excerpt.text) <= EXCERPT_CHARACTERS
        assert PROMPT_CHARACTERS - 30 < len(excerpt.prompt) <= PROMPT_CHARACTERS


def test_no_sentence_is_in_two_excerpts(book: Book) -> None:
    sentences = [
        sentence
        for excerpt in (*book.train, *book.held_out)
        for sentence in excerpt.text.split(". ")[1:-1]
    ]
    assert len(set(sentences)) == len(sentences) > 20


def test_the_frame_and_the_typography_are_gone(book: Book) -> None:
    assert book.title == 'The "Tale"'
    assert not any("GUTENBERG" in e.text or "\n" in e.text for e in (*book.train, *book.held_out))


def test_every_answer_fills_the_gap_with_words_of_its_excerpt(book: Book) -> None:
    assert book.questions
    for question in book.questions:
        holed = question.question.partition(f"{book.title}: ")[2]
        assert holed.count("____") == 1
        assert holed.replace("____", question.answer) in book.train[question.excerpt].text


def test_old_encodings_are_read(folder: Path) -> None:
    text = gzip.decompress((folder / "tale.txt.gz").read_bytes()).decode("utf-8-sig")
    old = text.replace("“Tale”", "Talé").encode("latin-1")
    (folder / "old.txt.gz").write_bytes(gzip.compress(old))
    assert read_book(folder, "old", excerpts=2).title == "The Talé"


def test_another_text_is_refused(folder: Path) -> None:
    (folder / "plain.txt.gz").write_bytes(gzip.compress(b"Once upon a time."))
    with pytest.raises(ValueError, match="not a Project Gutenberg text"):
        read_book(folder, "plain")
