"""The worked examples of docs/develop: their code blocks, written into a copy of the sources.

A block says its file in its title. A `python` block is a new file. A `diff` block changes one: its
lines without `+` must stand in the file, in one place only, so a page that no longer fits the code
is found out.
"""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.source_tree import ROOT

COPIED = ("guard", "classifiers", "tests")
LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", "node_modules", "e2e", "deployment", "*.safetensors"
)
FENCE = re.compile(r'^```(\w+) title="([^"]+)"\n(.*?)^```$', re.MULTILINE | re.DOTALL)


class ExampleError(Exception):
    """A page whose code does not fit the sources."""


@dataclass(frozen=True, slots=True)
class Block:
    """A titled code block: `language`, the file that it is about, and what stands in it."""

    language: str
    file: str
    text: str

    @property
    def is_test(self) -> bool:
        """Whether it is a test, which shows that the example works."""
        return self.file.startswith("tests/")


def read_blocks(page: str) -> list[Block]:
    """The titled code blocks of a page, in its order."""
    return [Block(*found) for found in FENCE.findall(page)]


def copy_sources(folder: Path) -> None:
    """What an example may change, and the settings of the tools that check it."""
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=LEFT_OUT)
    shutil.copy(ROOT / "pyproject.toml", folder)


def write_block(block: Block, folder: Path) -> Path:
    """Write a block below `folder`; raises ExampleError where it does not fit."""
    file = folder / block.file
    if block.language == "diff":
        file.write_text(patched(file.read_text(encoding="utf-8"), block), encoding="utf-8")
    elif file.exists():
        raise ExampleError(f"{block.file}: is there already; show the change as a diff")
    else:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
    return file


def patched(text: str, block: Block) -> str:
    """A file's text with the change of a `diff` block, hunk by hunk (parted by `@@`)."""
    for hunk in re.split(r"^@@.*\n", block.text, flags=re.MULTILINE):
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] != "+")
        after = "".join(line[1:] for line in lines if line[0] != "-")
        if text.count(before) != 1:
            raise ExampleError(f"{block.file}: found {text.count(before)} times:\n{before}")
        text = text.replace(before, after)
    return text
