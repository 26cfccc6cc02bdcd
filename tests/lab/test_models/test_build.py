"""Building the models: a folder with a record, made once and gone on with."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open

from guard.terms.errors import ConfigError
from lab.test_models.build import RECORD, Built, build_models
from lab.test_models.checkpoint import SPARE_ROWS
from lab.test_models.knowledge import STAGES
from tests.lab.test_models.invented import SMALL_PLAN as PLAN
from tests.lab.test_models.invented import write_data


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data"), 60)


@pytest.fixture(scope="module")
def built(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build_models(tmp_path_factory.mktemp("models") / "new", data, PLAN, 400)


def test_every_stage_is_a_checkpoint_with_spare_rows(built: Built) -> None:
    for stage in STAGES:
        with safe_open(built.checkpoint(stage) / "model.safetensors", framework="pt") as tensors:
            rows, width = tensors.get_slice("model.embed_tokens.weight").get_shape()
        tokens = json.loads((built.checkpoint(stage) / "tokenizer.json").read_text("utf-8"))
        assert rows >= len(tokens["model"]["vocab"]) + SPARE_ROWS
        assert width == 16


def test_the_record_says_what_each_model_knows(built: Built) -> None:
    assert json.loads((built.folder / RECORD).read_text("utf-8")) == built.record
    recall = built.record["stages"]["full"]["recall"]
    assert {"forget01", "forgotten books, continued"} <= set(recall)
    assert all(0 <= texts["tokens"] <= 1 and texts["loss"] > 0 for texts in recall.values())


def test_models_of_one_recipe_are_not_made_again(built: Built, data: Path) -> None:
    before = (built.checkpoint("full") / "model.safetensors").stat().st_mtime_ns
    assert build_models(built.folder, data, PLAN, 400).record == built.record
    assert (built.checkpoint("full") / "model.safetensors").stat().st_mtime_ns == before


def test_models_of_another_recipe_are_left_alone(built: Built, data: Path) -> None:
    with pytest.raises(ConfigError, match="another recipe"):
        build_models(built.folder, data, PLAN, 500)


def test_missing_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="tofu"):
        build_models(tmp_path / "models", tmp_path, PLAN)
