"""Phrases: found in any spelling of letters and spaces, only as whole words."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guard.detectors.names.phrases import PhraseList, fold

PHRASES = ["Ilse Varnholt", "the Grey Heron", "José", "C-3PO", "李白", "Straße"]

FOUND = [
    "Who is Ilse Varnholt?",
    "ILSE  VARNHOLT's mother",
    "ilse\u00a0varnholt",
    "Il\u200bse Varn\u00adholt",
    "\uff29\uff4c\uff53\uff45 Varnholt",
    "Ilse\n\tVarnholt",
    "ilse_varnholt",
    "Ilse-Varnholt",
    "Ílse Várnholt",
    "(the grey heron)",
    "jose",
    "Jose\u0301",
    "c\u20133po",
    "请介绍李白的生平",
    "STRASSE",
]
NOT_FOUND = [
    "",
    "Ilse",
    "Ilse Varnholtson",
    "Milse Varnholt",
    "Ilse was Varnholt",
    "the grey herons",
    "josephine",
    "Varnholt Ilse",
]


@pytest.mark.parametrize("text", FOUND)
def test_found(text: str) -> None:
    assert PhraseList(PHRASES).occurs(text)


@pytest.mark.parametrize("text", NOT_FOUND)
def test_not_found(text: str) -> None:
    assert not PhraseList(PHRASES).occurs(text)


def test_overlapping_phrases_do_not_hide_each_other() -> None:
    assert PhraseList(["new", "newt farm"]).occurs("a newt farm")
    assert PhraseList(["a newt farmer", "newt"]).occurs("a newt farmhouse")


def test_scores_fit_the_contract() -> None:
    detector = PhraseList(["secret"])
    scores = detector.score(["a secret", "nothing"], None)
    np.testing.assert_array_equal(scores, np.array([1, 0], dtype=np.float32))
    assert scores.dtype == np.float32
    assert detector.encoder is None
    assert detector.score([], None).shape == (0,)


def test_an_empty_list_finds_nothing() -> None:
    assert not PhraseList(["", " \u200b"]).occurs("anything")


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(before=st.text(), phrase=st.from_regex(r"[a-z]{2,8}( [a-z]{2,8})?", fullmatch=True))
def test_a_phrase_is_found_after_any_text_and_a_space(before: str, phrase: str) -> None:
    assert PhraseList([phrase]).occurs(f"{before} {phrase.upper()}!")


def test_the_version_is_that_of_the_phrases() -> None:
    assert PhraseList(["One", "two"]).version == PhraseList(["two", "one", "ONE"]).version
    assert PhraseList(["one"]).version != PhraseList(["one", "two"]).version


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I am Ann Bäcker.", ["Ann Bäcker"]),
        ("ANN  BA\u0308CKER's", ["ANN  BA\u0308CKER"]),
        ("  Ann\u200d-Bäcker  and ann bäcker", ["Ann\u200d-Bäcker", "ann bäcker"]),
        ("Joann Bäcker, Ann Bäckers", []),
        ("", []),
    ],
)
def test_spans_are_those_of_the_text_as_it_stands(text: str, found: list[str]) -> None:
    phrases = PhraseList(["Ann Bäcker"])

    assert [text[start:end] for start, end in phrases.spans(text)] == found
    assert phrases.occurs(text) is bool(found)


@given(st.text(), st.text(min_size=1))
@example("", "0 \u0345")  # a mark that folds to a letter
@example("", "a \u0903")  # one that stays
def test_what_occurs_between_spaces_has_its_span(around: str, phrase: str) -> None:
    phrases = PhraseList([phrase])
    text = f"{around} {phrase} {around}"
    assert bool(phrases.spans(text)) == phrases.occurs(text)
