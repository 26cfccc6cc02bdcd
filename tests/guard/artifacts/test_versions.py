"""Shelves: which version an artifact's folder stands for, and that a pointer is never half."""

from pathlib import Path

import pytest

from guard.artifacts.folder import read, read_digest
from guard.artifacts.versions import (
    POINTER,
    Pointer,
    is_shelf,
    promoted,
    read_pointer,
    rolled_back,
    served_folder,
    versions,
    write_pointer,
)
from guard.terms.errors import ArtifactError
from tests.text_detectors import write_word_detector


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    for name in ("v1", "v2"):
        write_word_detector(tmp_path / "shelf" / name, [name], needed=1)
    (tmp_path / "shelf" / "notes").mkdir()
    return tmp_path / "shelf"


def test_a_plain_artifact_stands_for_itself(shelf: Path) -> None:
    assert served_folder(shelf / "v1") == shelf / "v1"
    assert not is_shelf(shelf / "v1")


def test_a_shelf_stands_for_its_current_version(shelf: Path) -> None:
    write_pointer(shelf, Pointer("v2", "v1"))

    assert served_folder(shelf) == shelf / "v2"
    assert read_digest(shelf) == read_digest(shelf / "v2") == read(shelf).manifest.digest
    assert versions(shelf) == ("v1", "v2")


def test_promotion_and_rollback_undo_each_other(shelf: Path) -> None:
    write_pointer(shelf, promoted(shelf, "v1"))
    assert read_pointer(shelf) == Pointer("v1")

    write_pointer(shelf, promoted(shelf, "v2"))
    assert read_pointer(shelf) == Pointer("v2", "v1")
    assert promoted(shelf, "v2") == Pointer("v2", "v1")

    write_pointer(shelf, rolled_back(shelf))
    assert read_pointer(shelf) == Pointer("v1", "v2")
    assert rolled_back(shelf) == Pointer("v2", "v1")


def test_what_is_not_there_cannot_be_promoted(shelf: Path) -> None:
    for version in ("v3", "notes", "..", "v1/..", ""):
        with pytest.raises(ArtifactError, match="no version"):
            promoted(shelf, version)
    write_pointer(shelf, Pointer("v1"))
    with pytest.raises(ArtifactError, match="no previous"):
        rolled_back(shelf)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"current": 3}', b'{"current": ".."}', b'{"current": "a/b"}'],
)
def test_a_broken_pointer_is_an_error_not_another_version(shelf: Path, content: bytes) -> None:
    (shelf / POINTER).write_bytes(content)

    with pytest.raises(ArtifactError, match=r"current\.json"):
        served_folder(shelf)


def test_nothing_is_left_behind(shelf: Path) -> None:
    write_pointer(shelf, Pointer("v1"))
    write_pointer(shelf, Pointer("v2"))

    assert {path.name for path in shelf.iterdir()} == {"v1", "v2", "notes", POINTER}
