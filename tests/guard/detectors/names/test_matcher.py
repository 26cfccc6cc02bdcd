"""Names as people write and mistype them, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.detectors.names.matcher import NameIndex, spellings

OWNERS = (
    ("Ilse Varnholt",),
    ("Hsue Yun-Hwi",),
    ("Jad Ambrus Al-Tamari", "the Grey Heron"),
    ("Wei",),
    ("Aurélio Beltrún",),
    (),
    ("Seán O'Bannly",),
    ("李小芳",),
    ("Wulegastrin",),
)
INDEX = NameIndex(OWNERS)

FOUND = {
    "where was ILSE VARNHOLT born": {0},
    "Varnholt, Ilse": {0},
    "VARNHOLT Ilse": {0},
    "IlseVarnholt's books": {0},
    "Ilse M. Varnholt": {0},
    "ilse varnhlot": {0},  # two letters swapped
    "Ilse Vannholt": {0},
    "Ilse Varnhollt": {0},
    "Ilse Vrnholt\u2019s father": {0},
    "Hsue Yunhwi": {1},
    "hsue yun hwi": {1},
    "Al-Tamari, Jad Ambrus": {2},
    "jad ambrus al tamarri": {2},
    "The Grey Heron": {2},
    "the grey-herons": {2},
    "ask Wei's sister": {3},
    "Aurelio Beltrun": {4},
    "AURÉLIO BELTRÚN": {4},
    "Sean OBannly": {6},
    "Seán O\u2019Bannly and Ilse Varnholt": {0, 6},
    "请问李小芳是谁": {7},
    "wulegastrins": {8},
}
NOT_FOUND = (
    "Ilse Waldholz",
    "Inge Varnholt",  # a short word has to be right
    "Ilse Vark Holt Berg",
    "Vornhalt, Ilse",  # two slips in a word
    "Weir",
    "grey heron",
    "a heron",
    "Wulegast",
    "the of and to in",
    "",
    "x" * 200,
)


@pytest.mark.parametrize(("text", "owners"), FOUND.items())
def test_spellings_and_slips_are_found(text: str, owners: set[int]) -> None:
    assert INDEX.owners(text) == owners


@pytest.mark.parametrize("text", NOT_FOUND)
def test_others_are_not(text: str) -> None:
    assert INDEX.owners(text) == frozenset()


def test_two_owners_may_share_a_name() -> None:
    assert NameIndex([["Ilse Varnholt"], ["ilse varnholt"]]).owners("Ilse Varnholt") == {0, 1}


def test_without_names_nothing_is_found() -> None:
    assert NameIndex([]).owners("Ilse Varnholt") == frozenset()
    assert NameIndex([[], ["", "-"]]).owners("Ilse Varnholt - ") == frozenset()


def test_a_name_with_figures_is_matched_with_all_of_them() -> None:
    index = NameIndex([("September 8, 1956",), ("the Apollonian Society 11",)])
    assert index.owners("born on September 8, 1956, in Oslo") == {0}
    assert index.owners("THE APOLLONIAN SOCIETY 11") == {1}
    for text in ("in September", "September 8, 1957", "the apollonian society", "Society 12"):
        assert not index.owners(text)


def test_phrases_are_not_turned_round() -> None:
    assert spellings("the grey heron") == ("the grey heron",)
    assert "varnholt ilse" in spellings("Ilse Varnholt")


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_name_is_found_in_any_company(before: str, after: str) -> None:
    assert 0 in INDEX.owners(f"{before} Ilse Varnholt {after}")


@given(st.integers(0, 7), st.sampled_from(["drop", "double", "swap", "replace"]))
def test_any_one_slip_in_a_long_word_is_forgiven(at: int, kind: str) -> None:
    word = list("varnholt")
    match kind:
        case "drop":
            del word[at]
        case "double":
            word.insert(at, word[at])
        case "swap" if at:
            word[at - 1 : at + 1] = reversed(word[at - 1 : at + 1])
        case _:
            word[at] = "q"
    assert 0 in INDEX.owners(f"Who is Ilse {''.join(word)}?")
