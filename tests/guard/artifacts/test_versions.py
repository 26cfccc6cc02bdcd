"""Versioned folders: which version each stands for, and that a pointer is never half."""

from pathlib import Path

import pytest

from guard.artifacts.folder import read, read_digest
from guard.artifacts.versions import (
    POINTER,
    Pointer,
    is_versioned,
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
def versioned(tmp_path: Path) -> Path:
    for name in ("v1", "v2"):
        write_word_detector(tmp_path / "words" / name, [name], needed=1)
    (tmp_path / "words" / "notes").mkdir()
    return tmp_path / "words"


def test_a_plain_artifact_stands_for_itself(versioned: Path) -> None:
    assert served_folder(versioned / "v1") == versioned / "v1"
    assert not is_versioned(versioned / "v1")


def test_a_versioned_folder_stands_for_its_current_version(versioned: Path) -> None:
    write_pointer(versioned, Pointer("v2", "v1"))

    assert served_folder(versioned) == versioned / "v2"
    assert (
        read_digest(versioned) == read_digest(versioned / "v2") == read(versioned).manifest.digest
    )
    assert versions(versioned) == ("v1", "v2")


def test_promotion_and_rollback_undo_each_other(versioned: Path) -> None:
    write_pointer(versioned, promoted(versioned, "v1"))
    assert read_pointer(versioned) == Pointer("v1")

    write_pointer(versioned, promoted(versioned, "v2"))
    assert read_pointer(versioned) == Pointer("v2", "v1")
    assert promoted(versioned, "v2") == Pointer("v2", "v1")

    write_pointer(versioned, rolled_back(versioned))
    assert read_pointer(versioned) == Pointer("v1", "v2")
    assert rolled_back(versioned) == Pointer("v2", "v1")


def test_what_is_not_there_cannot_be_promoted(versioned: Path) -> None:
    for version in ("v3", "notes", "..", "v1/..", ""):
        with pytest.raises(ArtifactError, match="no version"):
            promoted(versioned, version)
    write_pointer(versioned, Pointer("v1"))
    with pytest.raises(ArtifactError, match="no previous"):
        rolled_back(versioned)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"current": 3}', b'{"current": ".."}', b'{"current": "a/b"}'],
)
def test_a_broken_pointer_is_an_error_not_another_version(versioned: Path, content: bytes) -> None:
    (versioned / POINTER).write_bytes(content)

    with pytest.raises(ArtifactError, match=r"current\.json"):
        served_folder(versioned)


def test_nothing_is_left_behind(versioned: Path) -> None:
    write_pointer(versioned, Pointer("v1"))
    write_pointer(versioned, Pointer("v2"))

    assert {path.name for path in versioned.iterdir()} == {"v1", "v2", "notes", POINTER}
