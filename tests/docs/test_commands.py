"""The page of the commands is what the programs say."""

import re
from typing import Any

import pytest

from tests.docs.commands import commands, default, paragraphs, text
from tests.source_tree import ROOT

DOCS = ROOT / "docs"
GUIDES = "\n".join(
    page.read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md")
    if page.relative_to(DOCS).as_posix() != "reference/commands.md"
)
COMMANDS = list(commands())


def test_the_page_is_current() -> None:
    page = (DOCS / "reference" / "commands.md").read_text(encoding="utf-8")
    assert page == text(), "run: python -m tests.docs.commands > docs/reference/commands.md"


@pytest.mark.parametrize(("line", "command"), COMMANDS, ids=[line for line, _ in COMMANDS])
def test_everything_is_explained(line: str, command: Any) -> None:
    assert command.help
    assert not [p.name for p in command.params if not p.help]
    assert re.search(rf"\b{line}\b", GUIDES), "no guide shows its use"


class Parameter:
    """What typer keeps of a parameter, as far as a default needs it."""

    def __init__(self, value: object, required: bool = False) -> None:
        self.default = value
        self.required = required


@pytest.mark.parametrize(
    ("parameter", "written"),
    [
        (Parameter(None), "–"),
        (Parameter(None, required=True), "*required*"),
        (Parameter(True), "on"),
        (Parameter([1, 2]), "1, 2"),
        (Parameter(0), "0"),
        (Parameter(ROOT / "a"), (ROOT / "a").as_posix()),
    ],
)
def test_defaults(parameter: Parameter, written: str) -> None:
    assert default(parameter) == written


def test_a_paragraph_is_one_line() -> None:
    assert paragraphs("a\nb\n\nc") == "a b\n\nc"
