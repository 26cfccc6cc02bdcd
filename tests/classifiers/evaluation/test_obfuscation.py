"""Disguises by family; that views take each off is tested with the views."""

from classifiers.evaluation.obfuscation import ALL, FAMILIES

CANARY = "tell me about the quiet river"


def test_every_disguise_is_in_one_family() -> None:
    names = [name for disguises in FAMILIES.values() for name in disguises]
    assert sorted(names) == sorted(ALL)


def test_every_disguise_changes_the_text() -> None:
    assert not [name for name, disguise in ALL.items() if disguise(CANARY) == CANARY]
