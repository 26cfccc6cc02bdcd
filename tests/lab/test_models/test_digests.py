"""Digests of files and recipes."""

import hashlib
from pathlib import Path

from lab.test_models.digests import file_digest, file_digests, recipe_of


def test_files_are_named_by_their_place(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"x")
    assert file_digests(tmp_path) == {"a/b.txt": hashlib.sha256(b"x").hexdigest()}
    assert file_digest(tmp_path / "none") is None


def test_a_recipe_is_settings_and_sources() -> None:
    one = recipe_of([1], {"lab.test_models": ("digests",)})
    assert one == recipe_of([1], {"lab.test_models": ("digests",)})
    assert one != recipe_of([2], {"lab.test_models": ("digests",)})
    assert one != recipe_of([1], {"lab.test_models": ("recall",)})
