"""Digests of values, files and folders."""

import hashlib
from pathlib import Path

from classifiers.runs.digests import digest_of, file_digest, file_digests


def test_a_digest_depends_on_every_part_and_not_on_the_order_of_keys() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1})
    assert digest_of({"a": 1, "b": 2}) != digest_of({"a": 1, "b": 3})
    assert digest_of([1, 2]) != digest_of([2, 1])


def test_files_are_named_by_their_place(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_bytes(b"x")
    assert file_digests(tmp_path) == {"a/b.txt": hashlib.sha256(b"x").hexdigest()}
    assert file_digest(tmp_path / "none") is None
