"""The wordings that training disguises prompts with."""

import pytest

from classifiers.prompts import disguise_wordings
from classifiers.prompts.disguise_wordings import SCRIPTS

GROUPS = {
    name: group
    for name, group in vars(disguise_wordings).items()
    if name.isupper() and isinstance(group, tuple)
}


@pytest.mark.parametrize(
    "name", ["WRAPPERS", "INDIRECT", "FRAMES", "TRANSLATIONS", "NAME_ONLY", "ORDERS"]
)
def test_each_has_one_place_for_what_it_holds(name: str) -> None:
    assert all(text.replace("{{", "").replace("}}", "").count("{}") == 1 for text in GROUPS[name])


def test_none_is_written_twice() -> None:
    for name, group in GROUPS.items():
        if name != "SCRIPTS":  # Latin letters come more often
            assert len(set(group)) == len(group)


def test_scripts_are_letters() -> None:
    assert all(letters.isalpha() for letters in SCRIPTS)
