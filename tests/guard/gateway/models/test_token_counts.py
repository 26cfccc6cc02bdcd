"""Tokens of a text: never more than it has, counted no further than needed, and remembered."""

import pytest

from guard.gateway.models.token_counts import MOST_REMEMBERED, STEP_CHARACTERS, TokenCounts
from guard.screening.workers.turn import OWN_TIME
from tests.guard.corruption.checkpoints import make_tokenizer

MANY = 10**9


class Counter:
    """A token for each word; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, text: str) -> int:
        self.asked.append(text)
        return len(text.split())


def test_a_text_is_counted_whole_in_steps() -> None:
    counter = Counter()
    text = "word " * 10_000

    found = TokenCounts(counter).count(text, "", MANY, OWN_TIME)

    assert "".join(counter.asked) == text
    assert len(counter.asked) > 1
    assert all(len(step) <= STEP_CHARACTERS for step in counter.asked)
    assert 0.99 * 10_000 < found <= 10_000


def test_a_text_of_one_step_is_counted_exactly() -> None:
    assert TokenCounts(Counter()).count("word " * 1000, "", MANY, OWN_TIME) == 1000


def test_counting_ends_once_it_is_enough() -> None:
    counter = Counter()

    assert TokenCounts(counter).count("word " * 100_000, "", 100, OWN_TIME) > 100
    assert len(counter.asked) == 1


def test_a_count_is_remembered_for_its_key_alone() -> None:
    counter = Counter()
    counts = TokenCounts(counter)
    text = "word " * 1000
    for owner in ("shop", "shop", "other"):
        assert counts.count(text, owner, MANY, OWN_TIME) == 1000

    assert len(counter.asked) == 2


def test_what_was_not_counted_to_its_end_is_not_remembered() -> None:
    counts = TokenCounts(Counter())
    text = "word " * 10_000
    counts.count(text, "", 100, OWN_TIME)

    assert counts.count(text, "", MANY, OWN_TIME) > 9_900


def test_what_is_remembered_is_bounded() -> None:
    counter = Counter()
    counts = TokenCounts(counter)
    texts = [f"{number} " + "word " * 100 for number in range(MOST_REMEMBERED + 1)]
    for text in texts:
        counts.count(text, "", MANY, OWN_TIME)
    counts.count(texts[-1], "", MANY, OWN_TIME)
    counts.count(texts[0], "", MANY, OWN_TIME)

    assert len(counter.asked) == MOST_REMEMBERED + 2


@pytest.mark.parametrize("sign", ["a", "x9", "grüße 世界 ", "the words of a page, "])
def test_no_text_is_said_to_have_more_tokens_than_it_has(sign: str) -> None:
    tokenizer = make_tokenizer()
    text = sign * (70_000 // len(sign))
    has = len(tokenizer.encode(text, add_special_tokens=False))

    counts = TokenCounts(lambda each: len(tokenizer.encode(each, add_special_tokens=False)))
    assert 0.98 * has < counts.count(text, "", MANY, OWN_TIME) <= has
