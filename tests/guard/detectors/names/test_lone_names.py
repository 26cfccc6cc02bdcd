"""A last name by itself is the person; with a stranger's first name it is somebody else."""

import pytest

from guard.detectors.names.matcher import NameIndex

INDEX = NameIndex(
    [("Ilse Varnholt",), ("Orvo van Tandrup",), ("Ann-Marie Sorel",)],
    [("Varnholt",), ("van Tandrup",), ()],
)


@pytest.mark.parametrize(
    "text",
    [
        "Where was Varnholt born?",
        "where was varnholt born",
        "Varnholt's teachers",
        "Does Varnholt write?",
        "Dr. Varnholt and her lamps",
        "I. Varnholt",
        "tell me about VARNHOLT",
        "As Pia said. Varnholt answers.",
        "Pia, Varnholt and others",
        "Pia Varnholt met Varnholt in May.",
        "Vàrnholt",
        "ilse varnhollt",
    ],
)
def test_the_person(text: str) -> None:
    assert INDEX.owners(text) == {0}


@pytest.mark.parametrize(
    "text",
    [
        "Where was Pia Varnholt born?",
        "Who is Varnholt Petersen?",
        "P. Varnholt",
        "Pia Vàrnholt's lamps",
        "the Varnholters",
        "Van Gogh and Tandrup",
        "Sorel",
    ],
)
def test_somebody_else(text: str) -> None:
    assert INDEX.owners(text) == frozenset()


def test_two_words_are_one_last_name() -> None:
    assert INDEX.owners("What did van Tandrup do?") == {1}
    assert INDEX.owners("What did Carl van Tandrup do?") == frozenset()


def test_a_nickname_is_the_person_and_no_stranger_before_the_last_name() -> None:
    index = NameIndex([("Ilse Varnholt",)], [("Varnholt", "Illi")])
    assert index.owners("Where was Illi born?") == {0}
    assert index.owners("Where was Illi Varnholt born?") == {0}
    assert index.owners("Where was Illi Waldholz born?") == frozenset()


def test_owners_may_share_one() -> None:
    index = NameIndex([("Ilse Varnholt",), ("Tom Varnholt",)], [("Varnholt",), ("Varnholt",)])
    assert index.owners("Where is Varnholt?") == {0, 1}
    assert index.owners("Where is Tom Varnholt?") == {1}
