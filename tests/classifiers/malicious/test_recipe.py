"""The recipe of a training: YAML below, command line above, and errors that name file and key."""

from dataclasses import fields
from pathlib import Path

import pytest

from classifiers.malicious.data.training_set import Recipe
from classifiers.malicious.recipe import PLACES, MaliciousRecipe, read_recipe
from guard.terms.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    file = folder / "recipe.yaml"
    file.write_text(text)
    return file


def test_the_command_line_overrides_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "mode: svd-safe\nfpr: 0.02\nunlabelled: [a.jsonl, b.jsonl]\n")
    recipe = read_recipe(file).updated({"fpr": 0.005, "seed": None, "unlabelled": ()})
    assert (recipe.mode, recipe.fpr) == ("svd-safe", 0.005)
    assert recipe.unlabelled == ("a.jsonl", "b.jsonl")
    assert recipe.seed == MaliciousRecipe().seed


def test_no_file_means_defaults() -> None:
    assert read_recipe(None) == MaliciousRecipe()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: red", "colour: Extra inputs are not permitted"),
        ("fpr: 2", "fpr: Input should be less than or equal to 0.5"),
        ("mode: magic", "mode: Input should be 'svd'"),
        ("shards: 4", "shards: Value error, must be odd"),
        ("unlabelled: a.jsonl", "unlabelled: Input should be a valid tuple"),
        ("learning: {epoch: 3}", "learning: Value error, unknown key epoch"),
        ("learning: {epochs: many}", "learning: Value error, epochs: Input should be a valid int"),
        ("learning: {soup: 3}", "learning: Value error, unknown key soup"),
        ("- mode", "the top level must be a mapping"),
        ("{", "while parsing a flow node"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_recipe(file)
    assert str(caught.value).startswith(f"{file}: {message}")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: No such file"):
        read_recipe(tmp_path / "gone.yaml")


def test_an_overriding_value_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="command line: shards: Value error, must be odd"):
        MaliciousRecipe().updated({"shards": 2})


def test_decisions_are_recorded_and_places_are_not(tmp_path: Path) -> None:
    recipe = MaliciousRecipe(encoder=tmp_path, unlabelled=("traffic.jsonl",), fpr=0.03)
    recorded = recipe.recorded()
    assert recorded["fpr"] == 0.03
    assert not set(PLACES) & recorded.keys()
    assert str(tmp_path) not in str(recorded)


def test_learning_values_reach_the_modes() -> None:
    recipe = MaliciousRecipe(learning={"epochs": 7}, runs=4).learning_recipe
    assert (recipe.epochs, recipe.soup, recipe.partitions) == (7, 4, 1)
    assert {"epochs", "soup", "partitions"} <= {entry.name for entry in fields(Recipe)}
