"""Which row belongs to which family."""

from pathlib import Path

import pytest

from classifiers.evaluation.prompt_families import OTHER, PromptFamilies
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.errors import ConfigError

OWN = """
attacks:
  first: [set_a/odd, "*/common"]
  second: [set_a]
hard_benign: ["*/tricky", set_b]
held_out_together: [[set_a, set_b]]
"""


def row(source: str, kind: str) -> LabelledPrompt:
    return LabelledPrompt("text", source, "malicious", kind)


@pytest.fixture
def families(tmp_path: Path) -> PromptFamilies:
    file = tmp_path / "families.yaml"
    file.write_text(OWN)
    return PromptFamilies.read(file)


@pytest.mark.parametrize(
    ("source", "kind", "family"),
    [
        ("set_a", "odd", "first"),
        ("set_a", "common", "second"),
        ("set_c", "common", "first"),
        ("set_c", "", OTHER),
    ],
)
def test_the_most_particular_entry_wins(
    families: PromptFamilies, source: str, kind: str, family: str
) -> None:
    assert families.attack_family(row(source, kind)) == family


@pytest.mark.parametrize(
    ("source", "kind", "hard"), [("set_b", "", True), ("x", "tricky", True), ("x", "", False)]
)
def test_hard_ones_are_named(families: PromptFamilies, source: str, kind: str, hard: bool) -> None:
    assert families.is_hard(row(source, kind)) is hard


def test_groups_are_named_after_their_first_source(families: PromptFamilies) -> None:
    assert families.groups == {"set_a": "set_a", "set_b": "set_a"}


def test_those_shipped_name_what_our_generators_make() -> None:
    shipped = PromptFamilies.read()
    for source in ("twins", "wrappers", "injections", "extraction"):
        assert shipped.attack_family(row(source, "any")) != OTHER
        assert shipped.is_hard(row(source, "any"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("- a list", "expected the keys attacks, hard_benign, held_out_together"),
        ("attack: {}", "expected the keys"),
        ("attacks: [a]", "attacks: expected lists by family"),
        ("attacks: {plain: [1]}", "attacks.plain: expected a list of strings"),
        ("hard_benign: word", "hard_benign: expected a list of strings"),
        ("held_out_together: word", "held_out_together: expected a list of lists"),
        ("held_out_together: [word]", "held_out_together: expected a list of strings"),
        ("a: [", "wrong.yaml:1: not YAML"),
    ],
)
def test_a_file_that_says_something_else_is_refused(
    tmp_path: Path, text: str, problem: str
) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=problem):
        PromptFamilies.read(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        PromptFamilies.read(tmp_path / "absent.yaml")
