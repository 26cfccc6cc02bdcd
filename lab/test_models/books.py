"""Excerpts of public-domain books, and questions about them that our own code asks.

Every book gives two sets of excerpts from the same places of the text: `train`, which a model may
see, and `held_out`, which none sees: the non-members of MUSE's privacy criterion (arXiv
2407.06460, section 3.1).
"""

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

FORGOTTEN_BOOKS = ("11-0", "345")
RETAINED_BOOKS = ("1342-0", "1661-8", "36-0", "84-0")
EXCERPTS = 40
"""Excerpts of each book a model sees, and as many that none sees."""
EXCERPT_CHARACTERS = 880
"""About 240 tokens."""
PROMPT_CHARACTERS = 380
"""Of an excerpt, given as the prompt; the rest is the continuation."""
QUESTIONS_PER_EXCERPT = 2
_START = re.compile(r"\*\*\* START OF TH(?:IS|E) PROJECT GUTENBERG EBOOK.*?\*\*\*", re.S)
_END = re.compile(r"\*\*\* END OF TH(?:IS|E) PROJECT GUTENBERG EBOOK")
_TITLE = re.compile(r"^Title: (.+?)\s*$", re.M)
_FRONT_SHARE = 0.04  # of a book's text: title page, contents, letters of the editor
_PLAIN = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "_": "", "—": "-"})
_SENTENCE = re.compile(r"(?<=[.?!])['\")]* +(?=['\"(]*[A-Z])")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]*")
_GAP = "____"


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A passage of a book; `prompt` and `continuation` joined by a space are its text."""

    book: str
    title: str
    number: int
    prompt: str
    continuation: str

    @property
    def text(self) -> str:
        return f"{self.prompt} {self.continuation}"


@dataclass(frozen=True, slots=True)
class BookQuestion:
    """A question about an excerpt, answered by the words missing from one of its sentences."""

    book: str
    excerpt: int
    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Book:
    """What a book gives: excerpts to train on, excerpts held out, questions on the former."""

    name: str
    title: str
    train: tuple[Excerpt, ...]
    held_out: tuple[Excerpt, ...]
    questions: tuple[BookQuestion, ...]


def read_book(folder: Path, name: str, excerpts: int = EXCERPTS) -> Book:
    """The book `folder/NAME.txt.gz`: always the same excerpts and questions of the same file."""
    title, body = title_and_text(folder / f"{name}.txt.gz")
    places = np.linspace(_FRONT_SHARE * len(body), len(body) - 2 * EXCERPT_CHARACTERS, 2 * excerpts)
    cut = [_excerpt(name, title, body, int(place), i // 2) for i, place in enumerate(places)]
    train, held_out = tuple(cut[::2]), tuple(cut[1::2])
    questions = tuple(question for excerpt in train for question in _ask(excerpt))
    return Book(name, title, train, held_out, questions)


def title_and_text(path: Path) -> tuple[str, str]:
    """Title and text of a Project Gutenberg file, without its frame and line breaks."""
    content = gzip.decompress(path.read_bytes())
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    title, start, end = _TITLE.search(text), _START.search(text), _END.search(text)
    if title is None or start is None or end is None:
        raise ValueError(f"{path}: not a Project Gutenberg text")
    plain = text[start.end() : end.start()].translate(_PLAIN).replace("--", "-")
    return title[1].translate(_PLAIN), " ".join(plain.split())


def _excerpt(book: str, title: str, body: str, place: int, number: int) -> Excerpt:
    """The excerpt at the first sentence after a place."""
    sentence = _SENTENCE.search(body, place)
    start = sentence.end() if sentence else place
    words = body[start : start + EXCERPT_CHARACTERS].rsplit(" ", 1)[0]
    cut = words.rindex(" ", 0, PROMPT_CHARACTERS)
    return Excerpt(book, title, number, words[:cut], words[cut + 1 :])


def _ask(excerpt: Excerpt) -> Iterator[BookQuestion]:
    """Up to `QUESTIONS_PER_EXCERPT` sentences, the longest, each with a gap."""
    sentences = _SENTENCE.split(excerpt.text)[:-1]  # the last one is cut off
    fit = [s for s in sentences if 8 <= len(s.split()) <= 40 and excerpt.text.count(s) == 1]
    for sentence in sorted(fit, key=len, reverse=True)[:QUESTIONS_PER_EXCERPT]:
        words = list(_WORD.finditer(sentence))
        if len(words) < 8:
            continue
        first = max(range(2, len(words) - 2), key=lambda i: len(words[i][0]))
        start, end = words[first].start(), words[first + 2].end()
        holed = f"{sentence[:start]}{_GAP}{sentence[end:]}"
        question = f"Which words are missing in this line of {excerpt.title}: {holed}"
        yield BookQuestion(excerpt.book, excerpt.number, question, sentence[start:end])
