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
        ("colour: red", "colour: no such key"),
        ("unlabeled: [a.jsonl]", "unlabeled: no such key; did you mean 'unlabelled'?"),
        ("fpr: 2", "fpr: must be at most 0.5"),
        ("fpr: 0.1\nfpr: 0.2", "fpr: this key stands in line 1 already"),
        ("mode: magic", "mode: no mode 'magic' (known: svd, "),
        ("shards: 4", "shards: must be odd"),
        ("unlabelled: a.jsonl", "unlabelled: must be a list"),
        ("modes: {magic: {}}", "modes: no mode 'magic' (known: svd, "),
        ("modes: {svd: {epoch: 3}}", "modes: svd: unknown key epoch (known: "),
        ("modes: {svd: {epochs: x}}", "modes: svd: epochs: must be a whole number"),
        ("modes: {supervised: {k: 1}}", "modes: supervised: unknown key k (known: no"),
        ("modes: {fine-tuned: {soup: 0}}", "modes: fine-tuned: "),
        ("{", "not YAML: expected the node content"),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        read_recipe(file)
    assert str(caught.value).startswith(f"{file}:{1 + text.count(chr(10))}: {message}")


def test_a_list_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe\.yaml: the top level must be a mapping"):
        read_recipe(written(tmp_path, "- mode"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: No such file"):
        read_recipe(tmp_path / "gone.yaml")


def test_an_overriding_value_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="command line: shards: must be odd"):
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
