"""A file's signature: the same while it stands, another once it is written or replaced."""

from pathlib import Path

from guard.artifacts.file_signature import signature_of


def test_it_changes_with_the_file(tmp_path: Path) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    assert signature_of(file) is None
    file.write_text("a")
    first = signature_of(file)
    assert signature_of(file) == first is not None
    file.write_text("longer")
    written = signature_of(file)
    assert written != first
    other.write_text("longer")
    other.replace(file)
    assert signature_of(file) not in (first, written)
