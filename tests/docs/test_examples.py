"""The pages that show how to extend EcoGuard, done as they say in a copy of the sources."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.examples import Block, ExampleError, copy_sources, patched, read_blocks, write_block
from tests.source_tree import ROOT

PAGES = sorted((ROOT / "docs" / "develop").glob("add-*.md"))


def run(folder: Path, *command: str) -> None:
    """A tool in the copy, on the copy's own modules; its output is the failure's text."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_an_example_works_as_written(page: Path, tmp_path: Path) -> None:
    blocks = read_blocks(page.read_text(encoding="utf-8"))
    tests = [block.file for block in blocks if block.is_test]
    copy_sources(tmp_path)

    written = [str(write_block(block, tmp_path)) for block in blocks]

    assert tests
    run(tmp_path, "ruff", "check", "--no-cache", *written)
    run(tmp_path, "ruff", "format", "--no-cache", "--check", *written)
    run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", *tests)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_all_code_of_an_example_is_run(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    code = re.findall(r"^```(?:python|diff)", text, re.MULTILINE)
    assert len(code) == len(read_blocks(text))


def test_a_diff_changes_the_one_place_that_it_shows() -> None:
    block = Block("diff", "a.py", " one\n+two\n@@\n-three\n+3\n")
    assert patched("one\nthree\n", block) == "one\ntwo\n3\n"


@pytest.mark.parametrize("text", ["", "one\none\n"])
def test_a_diff_that_does_not_fit_is_an_error(text: str) -> None:
    with pytest.raises(ExampleError, match="found"):
        patched(text, Block("diff", "a.py", " one\n+two\n"))


def test_a_new_file_must_be_new(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    with pytest.raises(ExampleError, match="already"):
        write_block(Block("python", "a.py", ""), tmp_path)
