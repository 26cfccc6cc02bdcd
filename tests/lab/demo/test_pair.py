"""Building the pair: whole or not at all, and never twice. Training is cut to a few steps."""

import dataclasses
from pathlib import Path

import pytest

from lab.demo.pair import (
    MEMBERS,
    RECORD,
    BuildError,
    Pair,
    build,
    load,
    recipe_digest,
    require_learned,
)
from lab.demo.training import Schedule

SHORT = Schedule(steps=2, repeat_steps=1, repeats=0, batch=2, floor=0.0)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return build(tmp_path_factory.mktemp("demo") / "pair", 3, schedule=SHORT)


def test_both_members_and_the_data_are_there(pair: Pair) -> None:
    for folder in (pair.full, pair.twin):
        assert {"config.json", "model.safetensors", "tokenizer.json", "chat_template.jinja"} <= {
            path.name for path in folder.iterdir()
        }
    assert (pair.data / "people.jsonl").stat().st_size > 0
    assert set(pair.accuracy) == set(MEMBERS)


def test_the_members_share_a_tokenizer_and_not_their_weights(pair: Pair) -> None:
    assert _read(pair.full, "tokenizer.json") == _read(pair.twin, "tokenizer.json")
    assert _read(pair.full, "model.safetensors") != _read(pair.twin, "model.safetensors")


def test_nothing_is_left_beside_the_folder(pair: Pair) -> None:
    assert list(pair.folder.parent.iterdir()) == [pair.folder]


def test_the_same_recipe_is_not_built_again(pair: Pair) -> None:
    before = (pair.folder / RECORD).stat().st_mtime_ns
    assert build(pair.folder, 3, schedule=SHORT) == pair
    assert (pair.folder / RECORD).stat().st_mtime_ns == before


def test_a_damaged_folder_is_no_pair(pair: Pair) -> None:
    weights = pair.twin / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert load(pair.folder) is None
    weights.unlink()
    assert load(pair.folder) is None
    weights.write_bytes(whole)
    assert load(pair.folder) == pair


def test_a_folder_without_a_record_is_no_pair(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    assert load(tmp_path / "missing") is None
    for text in ("{", "[]", "{}"):
        (tmp_path / RECORD).write_text(text, "utf-8")
        assert load(tmp_path) is None


def test_the_files_of_others_are_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(BuildError, match=r"thesis\.txt"):
        build(tmp_path, 3, schedule=SHORT)
    assert (tmp_path / "thesis.txt").read_text("utf-8") == "years of work"


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    impossible = dataclasses.replace(SHORT, batch=-1)
    with pytest.raises(BuildError, match="ended early"):
        build(tmp_path / "pair", 3, schedule=impossible)
    assert list(tmp_path.iterdir()) == []


def test_a_model_below_the_floor_is_named() -> None:
    schedule = dataclasses.replace(SHORT, floor=0.97)
    require_learned({"full": 0.97, "twin": 1.0}, schedule)
    with pytest.raises(BuildError, match=r"twin: 96\.0% of known answers after 2 steps"):
        require_learned({"full": 0.97, "twin": 0.96}, schedule)


def test_the_recipe_covers_seed_and_schedule() -> None:
    digests = {
        recipe_digest(3, SHORT),
        recipe_digest(4, SHORT),
        recipe_digest(3, dataclasses.replace(SHORT, steps=5)),
    }
    assert len(digests) == 3


def _read(folder: Path, name: str) -> bytes:
    return (folder / name).read_bytes()
