"""Last names that may stand alone: unusual ones that no retain prompt holds."""

import pytest

from classifiers.forget.derived_names import derive_names


@pytest.mark.parametrize(
    ("name", "lone"),
    [
        ("Ilse Varnholt", ("Varnholt",)),
        ("Basil Tarek Al-Sandouri", ("Al-Sandouri",)),
        ("Orvo van Tandrup", ("van Tandrup",)),
        ("Ilse Varnholt Jr.", ("Varnholt",)),
        ("Ilse Smith", ()),
        ("Wei Li", ()),
        ("the Grey Heron", ()),
        ("Varnholt", ()),
    ],
)
def test_last_names_of_people(name: str, lone: tuple[str, ...]) -> None:
    assert derive_names([name], []).lone == lone


def test_one_that_retain_prompts_hold_is_left_out() -> None:
    names = ["Ilse Varnholt", "Orvo Tandrup", "Ada Jones"]
    found = derive_names(names, ["Is Varnholt a town?", "Who is Pia Tandrup?"])
    assert found.lone == ("Tandrup",)
    assert found.report() == {"served": 1, "common": 1, "in_retain": 1}


def test_one_that_is_a_name_anyway_is_not_derived_again() -> None:
    assert derive_names(["Ilse Varnholt", "Varnholt"], []).lone == ()


def test_what_the_encoder_has_a_token_for_is_common() -> None:
    class Tokens:
        def count_tokens(self, text: str) -> int:
            return 1 if text == "tandrup" else 2

    found = derive_names(["Ilse Varnholt", "Orvo Tandrup"], [], Tokens())
    assert found.lone == ("Varnholt",)
    assert found.common == 1


def test_a_given_name_that_hardly_anybody_has_is_served() -> None:
    class Tokens:
        def count_tokens(self, text: str) -> int:
            return 3 if text in ("Wulegane", "wulegane", "Ivo") else 2

    found = derive_names(["Wulegane Berg-Tandrup", "Ivo Varnholt", "Ilse Sorvik"], [], Tokens())
    assert found.lone == ("Berg-Tandrup", "Varnholt", "Sorvik", "Wulegane")
    asked = ["Wulegane told me a story."]
    assert "Wulegane" not in derive_names(["Wulegane Sorvik"], asked, Tokens()).lone
