"""Hashes of neighbouring words: what changes them, and what does not."""

import numpy as np
import pytest

from guard.detectors.verbatim.grams import (
    RUN,
    STRETCH,
    chunks,
    exact_hashes,
    gram_hashes,
    run_hashes,
    skip_hashes,
    words_of,
)

TEXT = " ".join(f"word{number}" for number in range(40))


def shared(one: str, other: str, *, runs: bool) -> int:
    make = run_hashes if runs else skip_hashes
    return len(np.intersect1d(make(words_of(one).hashes), make(words_of(other).hashes)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("It's a naïve-ish_test.", ["It's", "a", "naïve", "ish", "test"]),
        ("東京タワー", list("東京タワー")),
        ("abc東def", ["abc", "東", "def"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert [text[start:end] for start, end in words_of(text).places] == words


def test_case_accents_and_signs_make_no_difference() -> None:
    plain, other = words_of("The naive cafe, it said").hashes, words_of("THE “naïve” café it/said")
    assert plain.tolist() == other.hashes.tolist()


def test_words_that_changed_places_leave_runs_alone() -> None:
    words = TEXT.split()
    words[10], words[11] = words[11], words[10]
    assert shared(TEXT, " ".join(words), runs=True) == 40 - RUN + 1 - 2


def test_every_second_word_may_be_another_one() -> None:
    other = " ".join(w if n % 2 else "other" for n, w in enumerate(TEXT.split()))
    assert shared(TEXT, other, runs=True) == 0
    assert shared(TEXT, other, runs=False) == (40 - STRETCH + 1) // 2


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_exact_strings_are_known_by_their_order(count: int) -> None:
    words = words_of(TEXT).hashes
    whole = exact_hashes(words, count)
    assert len(whole) == 40 - count + 1
    assert whole[-1] == exact_hashes(words[-count:], count)[0]
    if count > 1:
        assert exact_hashes(words[::-1], count)[0] not in whole


def test_short_texts_have_none() -> None:
    assert not len(gram_hashes("too short"))
    assert not len(exact_hashes(words_of("one two").hashes, 3))


def test_no_hash_is_lost_between_pieces() -> None:
    text = " ".join(f"w{number}" for number in range(5000))
    pieces = np.concatenate([gram_hashes(piece) for piece in chunks([text], 8000)])
    assert np.isin(gram_hashes(text), pieces).all()
