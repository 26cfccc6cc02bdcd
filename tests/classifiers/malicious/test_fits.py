"""Fits are made once per key, survive exactly, and a broken file is named."""

from pathlib import Path

import numpy as np
import pytest

from classifiers.malicious.fits import FILE, FitFolder, KeptFit, fit_key
from guard.terms.errors import ConfigError


def counted(calls: list[str]) -> KeptFit:
    calls.append("run")
    return KeptFit(
        {"weight": np.arange(6, dtype=np.float32).reshape(2, 3)}, {"auroc": 0.5, "k": None}
    )


def test_a_fit_is_made_once(tmp_path: Path) -> None:
    calls: list[str] = []
    for _ in range(2):
        fit = FitFolder(tmp_path, "key").run("svd", lambda: counted(calls))
        assert fit.facts == {"auroc": 0.5, "k": None}
        assert fit.tensors["weight"].tolist() == [[0, 1, 2], [3, 4, 5]]
    FitFolder(tmp_path, "other").run("svd", lambda: counted(calls))
    assert calls == ["run", "run"]


def test_an_interrupted_fit_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> KeptFit:
        raise KeyboardInterrupt

    folder = FitFolder(tmp_path, "key")
    with pytest.raises(KeyboardInterrupt):
        folder.run("svd", interrupted)
    calls: list[str] = []
    folder.run("svd", lambda: counted(calls))
    assert calls == ["run"]


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "key").mkdir()
    (tmp_path / "key" / FILE).write_bytes(b"torn" * 1000)
    with pytest.raises(ConfigError, match=rf"{FILE}: cannot be used as kept work"):
        FitFolder(tmp_path, "key").run("svd", lambda: counted([]))


def test_the_key_depends_on_every_part_and_not_on_order() -> None:
    assert fit_key({"a": 1, "b": 2}) == fit_key({"b": 2, "a": 1})
    assert fit_key({"a": 1, "b": 2}) != fit_key({"a": 1, "b": 3})
