"""Hashed n-grams: stable, in range, alike for texts that differ in form alone."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from guard.detectors.malicious.ngrams import ngram_indices

BUCKETS = 1 << 12


@given(st.text(max_size=200))
def test_indices_are_sorted_distinct_and_in_range(text: str) -> None:
    indices = ngram_indices(text, BUCKETS)
    assert (np.diff(indices) > 0).all()
    assert len(indices)
    assert 0 <= indices[0] <= indices[-1] < BUCKETS


@given(st.text(max_size=80))
def test_case_and_white_space_do_not_count(text: str) -> None:
    upper = text.upper()
    if upper.lower() == text.lower():
        spaced = f"  {upper}\n"
        np.testing.assert_array_equal(ngram_indices(spaced, 1 << 16), ngram_indices(text, 1 << 16))


def test_words_count_beside_their_letters() -> None:
    one, two = ngram_indices("bad cat", 1 << 30), ngram_indices("cat bad", 1 << 30)
    shared = len(np.intersect1d(one, two))
    assert 0 < shared < len(one)


def test_lone_surrogates_and_other_scripts_have_n_grams() -> None:
    for text in ("\ud800", "炸弹", "🙂", ""):
        assert len(ngram_indices(text, BUCKETS)) > 0


def test_indices_do_not_change_between_versions() -> None:
    """Tables are indexed by these numbers: another hash would void every artifact."""
    expected = [7582, 9976, 11278, 17179, 30094, 41807, 51090, 51706, 53726, 59704]
    assert ngram_indices("hi", 1 << 16).tolist() == expected
