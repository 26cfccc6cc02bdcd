"""Words one slip away."""

import pytest

from guard.detectors.names.near_names import NearNames, NearWords


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("varnholt", True),
        ("varnhollt", True),
        ("vranholt", True),
        ("vrnholt", True),
        ("vornhalt", False),
        ("ilse", True),
        ("inse", False),  # a short word has to be right
        ("v" * 50, False),
    ],
)
def test_words_alike(word: str, found: bool) -> None:
    words = NearWords()
    numbers = {words.number("varnholt"), words.number("ilse")}
    assert bool(words.alike(word)) == found
    assert words.alike(word) <= numbers


def test_a_word_has_one_number() -> None:
    words = NearWords()
    assert words.number("varnholt") == words.number("varnholt") == words.known("varnholt")
    assert words.known("ilse") == -1


def test_names_are_found_word_by_word_with_an_initial_between() -> None:
    names = NearNames({"ilse varnholt": {4}, "may 7 1956": {5}, "wei": {6}})
    assert list(names.owners(["who", "is", "ilse", "m", "varnholtt"])) == [{4}]
    assert not list(names.owners(["may", "wei"]))
    assert not list(NearNames({}).owners(["ilse", "varnholt"]))
