"""The recipe of a training: YAML below, command line above, and errors that name file and key."""

from dataclasses import fields
from pathlib import Path

import pytest

from classifiers.malicious.modes.fine_tuned import FineTuned
from classifiers.malicious.modes.svd import Svd
from classifiers.malicious.modes.table import MODES
from classifiers.malicious.recipe import PLACES, MaliciousRecipe, read_recipe
from guard.terms.errors import ConfigError


def written(folder: Path, text: str) -> Path:
    file = folder / "recipe.yaml"
    file.write_text(text)
    return file


def test_the_command_line_overrides_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, "mode: svd\nfpr: 0.02\nunlabelled: [a.jsonl, b.jsonl]\n")
    recipe = read_recipe(file).updated({"fpr": 0.005, "seed": None, "unlabelled": ()})
    assert (recipe.mode, recipe.fpr) == ("svd", 0.005)
    assert recipe.unlabelled == ("a.jsonl", "b.jsonl")
    assert recipe.seed == MaliciousRecipe().seed


def test_no_file_means_defaults() -> None:
    assert read_recipe(None) == MaliciousRecipe()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour: red", "colour: Extra inputs are not permitted"),
        ("fpr: 2", "fpr: Input should be less than or equal to 0.5"),
        ("mode: magic", "mode: Value error, no mode 'magic' (known: svd, "),
        ("shards: 4", "shards: Value error, must be odd"),
        ("unlabelled: a.jsonl", "unlabelled: Input should be a valid tuple"),
        ("modes: {magic: {}}", "modes: Value error, no mode 'magic' (known: svd, "),
        ("modes: {svd: {epoch: 3}}", "modes: Value error, svd: unknown key epoch (known: "),
        ("modes: {svd: {epochs: x}}", "modes: Value error, svd: epochs: Input should be a valid"),
        ("modes: {supervised: {k: 1}}", "modes: Value error, supervised: unknown key k (known: no"),
        ("modes: {fine-tuned: {soup: 0}}", "modes: Value error, fine-tuned: "),
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


def test_settings_reach_their_mode_and_no_other() -> None:
    recipe = MaliciousRecipe(modes={"svd": {"epochs": 7}, "fine-tuned": {"windows": [[300, 100]]}})
    assert recipe.settings_of(Svd()).epochs == 7
    assert recipe.settings_of(FineTuned()).windows == ((300, 100),)
    assert recipe.settings_of(FineTuned()).epochs == 1


def test_a_recipe_has_at_most_forty_fields() -> None:
    """Counted over all its sections: who adds one finds another to take out."""
    own = set(MaliciousRecipe.model_fields) - {"modes"}
    of_modes = [(mode.name, one.name) for mode in MODES.values() for one in fields(mode.settings)]
    assert len(own) + len(of_modes) <= 40
