"""A person by parts of the name; other people who share some of them."""

import pytest

from guard.detectors.names.persons import People, name_parts

PEOPLE = People(
    [("Ilse Varnholt",), ("Jad Ambrus Al-Tamari",), ("Otto Martin",), ("Wulegane Berg",), ("Wei",)],
    [(), (), (), ("Wulegane", "Wuli"), ()],
)


@pytest.mark.parametrize(
    "name",
    [
        "Ilse van Varnholt",
        "Ilse de la Varnholt",
        "ilse al-varnholt",
        "Ilse J. K. Varnholt",
        "Ilse Maria Elise Varnholt",
        'Ilse "the Fox" Varnholt',
        "Varnholt, Dr. Ilse M.",
        "Ilse (Varnholt)",
        "Ilse/Varnholt",
        "Ilse Varnholt Jr.",
        "Ilse Varnho",
        "Ilse Varn",
        "Ilse van Varnh...",
        "Ilse Varnholt...",
        "Ilse Varnholtan",
        "Ilse V.",
        "Ilse M. V.",
        "Ilse V",
        "Ilse, whose last name is Varnholt,",
        "Varnholt (first name: Ilse)",
        "Il\u200bse Varn\u200bholt",
        "ÌLSE VÁRNHOLT",
    ],
)
@pytest.mark.parametrize(
    "frame", ["Where was {} born?", "{}", "Hello! I ask about {}: what is new?"]
)
def test_the_person(name: str, frame: str) -> None:
    assert PEOPLE.owners(frame.format(name)) == {0}


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        ("Jad Tamari", 1),
        ("Jad Altamari", 1),
        ("Ambrus Al Tamari", 1),
        ("Jad Al-Tamari III", 1),
        ("Wuleg Berg", 3),  # the given name cut short
        ("Wulegane Ber", 3),
        ("Wulegane B.", 3),
        ("Wuli Berg", 3),
        ("Wuli B.", 3),
    ],
)
def test_names_of_several_parts_and_rare_ones(text: str, owner: int) -> None:
    assert PEOPLE.owners(text) == {owner}


@pytest.mark.parametrize(
    "text",
    [
        "Ilse Berg and Otto Varnholt",
        "Ilse Waldholz",
        "Inge Varnholt",
        "Ilse Var",
        "Ilse V. Waldholz",  # a middle initial
        "Ilse W.",
        "Ilse v",
        "| Ilse | 12 |\n| Varnholt | 7 |",
        "Otto Martinez",  # Martin is no name cut short, nor carried on
        "Otto Mart",
        "Ilse Petersen was born in Varnholt Castle",
        "Wei",
        "",
    ],
)
def test_somebody_else(text: str) -> None:
    assert PEOPLE.owners(text) == frozenset()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Ilse Varnholt", (("ilse",), ("varnholt",))),
        ("Jad Ambrus Al-Tamari", (("jad", "ambrus"), ("tamari", "altamari"))),
        ("Ilse Varnholt Jr.", (("ilse",), ("varnholt",))),
        ("Varnholt", None),
        ("the Grey Heron", None),
        ("The Quiet Orchard", None),
        ("Apollonian Society 11", None),
        ("grey heron", None),
        ("", None),
    ],
)
def test_parts_of_names(name: str, parts: object) -> None:
    assert name_parts(name) == parts


def test_nobody_is_found_without_people() -> None:
    assert People([("the Grey Heron",), ()]).owners("the Grey Heron") == frozenset()
