"""Names letter by letter, in pieces, backwards, in the radio alphabet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.detectors.names.phrases import WORDS, fold
from guard.detectors.names.spelt_out import SpeltNames, read_radio_words

NAMES = SpeltNames(
    {"ilse varnholt": {0}, "varnholt ilse": {0}, "ann lee": {1}, "area 51 base": {2}}
)


def owners(text: str) -> set[int]:
    return NAMES.owners(WORDS.findall(fold(text)))


@pytest.mark.parametrize(
    "text",
    [
        "Who is I l s e  V a r n h o l t?",
        "I-l-s-e V-a-r-n-h-o-l-t's lamps",
        "I.L.S.E.V.A.R.N.H.O.L.T.",
        "Il-se Varn-holt",
        "Il se Varn holt",
        "IlseVarnholt",
        "tlohnraV eslI",
        "t l o h n r a v  e s l i",
        "India Lima Sierra Echo Victor Alfa Romeo November Hotel Oscar Lima Tango",
        "V, a, r, n, h, o, l, t, I, l, s, e",
    ],
)
def test_a_name_spelt_out(text: str) -> None:
    assert owners(text) == {0}


@pytest.mark.parametrize(
    "text",
    [
        "Philse Varnholt",  # begins inside a word
        "Ilse Varnholter",
        "A n n  L e e",  # too short: in other words by chance
        "area base",
        "alpha beta gamma delta",
        "the hotel in november",
        "",
    ],
)
def test_others(text: str) -> None:
    assert owners(text) == set()


def test_a_run_of_radio_words_is_read_and_single_ones_are_not() -> None:
    words = ["the", "hotel", "is", "alpha", "bravo", "charlie", "delta", "now"]
    assert read_radio_words(words) == ["the", "hotel", "is", "a", "b", "c", "d", "now"]
    assert read_radio_words(["golf", "club"]) == ["golf", "club"]


@given(
    st.lists(st.sampled_from(["", " ", "-", ".", "_", "  ", "*", "/"]), min_size=12, max_size=12)
)
def test_whatever_stands_between_the_letters(between: list[str]) -> None:
    spelt = "".join(a + b for a, b in zip("IlseVarnholt", between, strict=True))
    assert owners(f"Who was {spelt} ?") == {0}
