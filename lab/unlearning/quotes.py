"""How well quotes of books are found, in other words too, and how often where there are none.

    python -m lab.unlearning.quotes --books FOLDER [--words 30] [--attempts 500]

FOLDER holds the books of `lab.test_models` as `NAME.txt.gz`. The forgotten ones are indexed;
passages of theirs are changed in several ways, and the retained ones are read in stretches of 250
words.
"""

import random
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from classifiers.verbatim.indexing import index
from guard.detectors.verbatim.index import QuoteDetector, quotes_of
from lab.test_models.books import FORGOTTEN_BOOKS, RETAINED_BOOKS, title_and_text

STRETCH = 250
LONGER = 1.3
"""A passage beside the least that is to be found."""

Words = list[str]


def _every(step: int, words: Words, draw: random.Random) -> Words:
    return [draw.choice(words) if at % step == step - 1 else w for at, w in enumerate(words)]


def _swapped(words: Words, _: random.Random) -> Words:
    pairs = zip(words[::2], words[1::2], strict=False)
    return [word for first, second in pairs for word in (second, first)]


CHANGES: dict[str, Callable[[Words, random.Random], Words]] = {
    "as it stands": lambda words, _: words,
    "in capitals": lambda words, _: [word.upper() for word in words],
    "without signs": lambda words, _: ["".join(filter(str.isalnum, word)) for word in words],
    "neighbours exchanged": _swapped,
    "every second word another": lambda words, draw: _every(2, words, draw),
    "every sixth word another": lambda words, draw: _every(6, words, draw),
    "every eighth word left out": lambda words, _: [w for at, w in enumerate(words) if at % 8 != 7],
}


def found(detector: QuoteDetector, texts: Sequence[str]) -> int:
    """How many of the texts hold a quote that is too long."""
    return int((detector.score(texts) >= detector.threshold).sum())


def passages(books: Sequence[Words], length: int, count: int, draw: random.Random) -> list[Words]:
    """Passages from anywhere in the books."""
    chosen = [draw.choice(books) for _ in range(count)]
    starts = [draw.randrange(len(book) - length) for book in chosen]
    return [book[at : at + length] for book, at in zip(chosen, starts, strict=True)]


def _text(folder: Path, name: str) -> str:
    return title_and_text(folder / f"{name}.txt.gz")[1]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = ArgumentParser(prog="python -m lab.unlearning.quotes")
    options.add_argument("--books", type=Path, required=True)
    options.add_argument("--words", type=int, default=30)
    options.add_argument("--attempts", type=int, default=500)
    given = options.parse_args(arguments)
    indexed = {name: _text(given.books, name) for name in FORGOTTEN_BOOKS}
    with TemporaryDirectory(prefix="ecoguard-quotes-") as folder:
        files = [Path(folder) / f"{name}.txt" for name in indexed]
        for file, text in zip(files, indexed.values(), strict=True):
            file.write_text(text, encoding="utf-8")
        artifact = index(Path(folder) / "artifact", "books", files)
        detector = QuoteDetector(quotes_of(artifact), given.words)
        draw = random.Random(1)
        books = [text.split() for text in indexed.values()]
        chosen = passages(books, int(LONGER * given.words), given.attempts, draw)
        for name, change in CHANGES.items():
            texts = [" ".join(change(words, draw)) for words in chosen]
            sys.stdout.write(f"| {name} | {found(detector, texts)} of {len(texts)} |\n")
        others = [_text(given.books, name).split() for name in RETAINED_BOOKS]
        texts = [
            " ".join(book[at : at + STRETCH])
            for book in others
            for at in range(0, len(book), STRETCH)
        ]
        sys.stdout.write(f"| other books | {found(detector, texts)} of {len(texts)} |\n")


if __name__ == "__main__":
    main()
