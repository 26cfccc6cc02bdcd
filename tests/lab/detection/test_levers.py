"""The bench of levers: seeds and their soup, figures of chosen folds alone, no padded rows."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest
import typer

from classifiers.malicious.fine_tuning.optimisation import Optimisation
from classifiers.malicious.fine_tuning.training import FineTuning
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.cross_validation import HeldOutGroups, WindowLogits
from lab.detection.leave_sources_out import GROUPS, fold_file, fold_of, save_logits
from lab.detection.levers import (
    ENSEMBLE,
    RECIPES,
    SEEDS,
    SHIPPED,
    Measured,
    compare,
    main,
    run_lever,
)
from tests.classifiers.malicious.fine_tuning.prompts import prompts
from tests.encoders import tiny_bert

# The planted sources under names of groups: deepset_pi and bbh are held out in fold 4.
NAMES = ("sap200", "aart", "snips", "deepset_pi", "nlu_eval", "bbh")


def _rows() -> list[LabelledPrompt]:
    return [replace(row, source=NAMES[int(row.source[-1])]) for row in prompts()]


def test_every_lever_changes_the_recipe_in_its_own_way() -> None:
    assert len({*RECIPES.values(), FineTuning()}) == len(RECIPES) + 1


def test_the_seeds_of_a_soup_are_runs_of_their_own_and_give_an_ensemble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    how = Optimisation(rate=3e-3, head_rate=3e-2, batch=16, max_tokens=64)
    recipe = FineTuning(frozen_layers=1, buckets=1 << 10, optimisation=how, soup=len(SEEDS))
    for number, name in enumerate(SEEDS, how.seed):
        run = replace(recipe, soup=1, optimisation=replace(how, seed=number))
        monkeypatch.setitem(RECIPES, name, run)
    rows = _rows()
    folds = np.array([fold_of(row) for row in rows])
    measured = Measured(rows, {}, folds, tmp_path / "out")
    groups = HeldOutGroups(rows, rows, recipe, tiny_bert(), tmp_path)
    for name in SEEDS:
        run_lever(lambda _: groups, measured, name, 4)
        assert measured.has(name, 4)
    measured.score(groups, groups.fit(GROUPS[4], "soup"), "soup", 4)
    found = compare(measured, measured.folder("soup"), [4])
    assert set(found) == {SHIPPED, *SEEDS, ENSEMBLE}
    assert len({orjson.dumps(figures) for figures in found.values()}) > len(SEEDS)


def test_figures_are_of_the_chosen_folds_alone(tmp_path: Path) -> None:
    rows = _rows()
    folds = np.array([fold_of(row) for row in rows])
    measured = Measured(rows, {}, folds, tmp_path)
    own = np.flatnonzero(folds == 4)
    right = np.array([1.0 if rows[i].label == "malicious" else -1.0 for i in own], np.float32)
    nothing = np.zeros_like(right)
    logits = WindowLogits(right, nothing, nothing, own, np.zeros(len(own), np.bool_))
    folder = measured.folder("two epochs")
    folder.mkdir()
    save_logits(fold_file(folder, 4), logits)
    found = measured.figures(folder, [4])
    assert found["rows"] == {
        "benign": sum(rows[i].label == "benign" for i in own),
        "malicious": sum(rows[i].label == "malicious" for i in own),
    }


def test_an_unknown_lever_is_named(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="no lever 'luck'"):
        main(tmp_path, tmp_path, tmp_path, ["luck"])
