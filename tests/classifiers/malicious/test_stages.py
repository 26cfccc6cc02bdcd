"""Stages are done once per key, survive exactly, and a broken file is named."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.malicious.stages import STAGES, Stage, StageFolder, stage_key
from guard.terms.errors import ConfigError


def counted(calls: list[str]) -> Stage:
    calls.append("run")
    return Stage(
        {"weight": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"auroc": 0.5, "k": None}
    )


def test_a_stage_runs_once(tmp_path: Path) -> None:
    calls: list[str] = []
    for _ in range(2):
        stage = StageFolder(tmp_path, "key").run("svd", lambda: counted(calls))
        assert stage.facts == {"auroc": 0.5, "k": None}
        assert stage.tensors["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    StageFolder(tmp_path, "other").run("svd", lambda: counted(calls))
    assert calls == ["run", "run"]


def test_an_interrupted_stage_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> Stage:
        raise KeyboardInterrupt

    folder = StageFolder(tmp_path, "key")
    with pytest.raises(KeyboardInterrupt):
        folder.run("svd", interrupted)
    calls: list[str] = []
    folder.run("svd", lambda: counted(calls))
    assert calls == ["run"]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    (tmp_path / "key" / STAGES).write_bytes(b"torn" * 1000)
    with pytest.raises(ConfigError, match=rf"{STAGES}: cannot be used as kept work"):
        StageFolder(tmp_path, "key").run("svd", lambda: counted([]))


def test_the_key_depends_on_every_part_and_not_on_order() -> None:
    assert stage_key({"a": 1, "b": 2}) == stage_key({"b": 2, "a": 1})
    assert stage_key({"a": 1, "b": 2}) != stage_key({"a": 1, "b": 3})
