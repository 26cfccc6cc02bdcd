"""Quotes: how long they are, and where they stand."""

import pytest

from guard.detectors.verbatim.grams import exact_hashes, gram_hashes, words_of
from guard.detectors.verbatim.membership import Listed
from guard.detectors.verbatim.quotes import Quotes

BOOK = " ".join(f"word{number}" for number in range(200))
PASSAGE = " ".join(f"word{number}" for number in range(50, 80))
QUOTES = Quotes(Listed(gram_hashes(BOOK)))


def changed(kind: str) -> str:
    words = PASSAGE.split()
    if kind == "case":
        return PASSAGE.upper()
    if kind == "signs":
        return ", ".join(words)
    if kind == "every second other":
        return " ".join(w if n % 2 else "other" for n, w in enumerate(words))
    if kind == "neighbours swapped":
        return " ".join(f"{b} {a}" for a, b in zip(words[::2], words[1::2], strict=True))
    if kind == "one other":
        return " ".join([*words[:15], "other", *words[16:]])
    if kind == "one more":
        return " ".join([*words[:15], "more", *words[15:]])
    return PASSAGE


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        *((kind, 30) for kind in ("same", "case", "signs", "one other", "one more")),
        ("every second other", 29),
        ("neighbours swapped", 30),
    ],
)
def test_small_changes_do_not_end_a_quote(kind: str, least: int) -> None:
    text = f"Before it, something else. {changed(kind)} And then after it."
    (quote,) = QUOTES.found(text)

    assert least <= quote.words <= 31
    assert text[quote.start : quote.end].lower().startswith(("word50", "word51", "other"))


def test_two_quotes_are_told_apart() -> None:
    between = "this is new and long enough"
    first, second = QUOTES.found(f"{PASSAGE} {between} {PASSAGE}")
    assert (first.words, second.words) == (30, 30)


def test_what_is_no_quote() -> None:
    assert QUOTES.found("") == []
    assert QUOTES.found("word1 word5 word9 word2 word77 word3 word100 word4") == []


def test_exact_strings_are_found_as_they_are() -> None:
    canary = words_of("azure quill 7731").hashes
    exact = Quotes(Listed(gram_hashes("")), Listed(exact_hashes(canary, 3)), [3])
    text = "He said: Azure, quill-7731!"

    (found,) = exact.exact(text)
    assert text[found.start : found.end] == "Azure, quill-7731"
    assert exact.exact("quill azure 7731") == []
    assert QUOTES.exact(text) == []
