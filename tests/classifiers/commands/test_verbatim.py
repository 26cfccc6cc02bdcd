"""`ecoguard-train verbatim`."""

from pathlib import Path

from guard.artifacts.folder import read
from tests.classifiers.commands.command_line import run


def test_files_become_an_index(tmp_path: Path) -> None:
    book, exact = tmp_path / "book.txt", tmp_path / "exact.txt"
    book.write_text("one two three four five six seven eight nine ten", encoding="utf-8")
    exact.write_text("azure quill 7731", encoding="utf-8")

    assert run("verbatim", book, "--exact", exact, "--out", tmp_path / "out") == 0
    assert read(tmp_path / "out", "verbatim").manifest.metrics == {"words": 10}
