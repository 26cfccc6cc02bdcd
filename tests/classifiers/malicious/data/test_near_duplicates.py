"""Clusters of near duplicates: what is one, what is not, and that it stays near linear."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.malicious.data.near_duplicates import leading_rows, text_leaders

LONG = (
    "Please summarise the minutes of the last meeting of the gardening club in five short "
    "bullet points and add who is to do what until the next meeting in spring."
)
WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("l", "rk", "nd", "s")]


def sentences(count: int, rng: np.random.Generator, words: int = 12) -> list[str]:
    return [" ".join(rng.choice(WORDS, words)) for _ in range(count)]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (LONG.upper(), True),
        (LONG.replace(" ", "\n  "), True),
        (LONG.replace("five", "six"), True),
        (LONG + " Thanks!", True),
        (LONG.replace("gardening club", "chess club of the village"), False),
        ("Summarise the minutes.", False),
        (LONG + " " + LONG[::-1], False),
    ],
)
def test_near_duplicates_of_a_prompt(text: str, same: bool) -> None:
    assert text_leaders([LONG, text]).tolist() == [0, 0 if same else 1]


@pytest.mark.parametrize("text", ["你好，世界，今天天气怎么样", "ab", "", "🙂", "\ud800x"])
def test_every_script_and_length(text: str) -> None:
    assert text_leaders([text, LONG, text]).tolist() == [0, 1, 0]


def test_no_prompt_is_swallowed_by_way_of_another() -> None:
    """Each text differs a little from the one before; the last has nothing of the first."""
    rng = np.random.default_rng(3)
    words = list(rng.choice(WORDS, 20))
    chain = [" ".join(words)]
    for place in range(20):
        words[place] = f"other{place}"
        chain.append(" ".join(words))
    leaders = text_leaders(chain)
    assert leaders[1] == 0
    assert leaders[-1] > 5


def test_one_changed_word_in_forty_is_found() -> None:
    rng = np.random.default_rng(0)
    originals = sentences(300, rng, words=40)
    edited = [text.replace(text.split()[20], "zzz", 1) for text in originals]
    leaders = text_leaders([*originals, *edited])
    assert (leaders[300:] == np.arange(300)).mean() > 0.99
    assert (leaders[:300] == np.arange(300)).all()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=30), max_size=20), st.integers(0, 5))
def test_leaders_lead_themselves(texts: list[str], seed: int) -> None:
    leaders = text_leaders(texts, seed=seed)
    assert (leaders[leaders] == leaders).all()
    assert (leaders <= np.arange(len(texts))).all()


def test_a_cluster_counts_once_however_often_it_is_repeated() -> None:
    texts = [LONG, *[f"{LONG} {number}" for number in range(20)], "Something else.", LONG]
    assert leading_rows(texts).tolist() == [0, 21]


def test_copies_of_one_prompt_take_no_longer_than_strangers() -> None:
    """The worst case for an index that compared every pair of a bucket."""
    rng = np.random.default_rng(2)
    started = time.process_time()
    text_leaders(sentences(2000, rng))
    strangers = time.process_time() - started
    started = time.process_time()
    leaders = text_leaders([f"{LONG} {number}" for number in range(2000)])
    assert len(np.unique(leaders)) == 1
    assert time.process_time() - started < 10 * strangers
