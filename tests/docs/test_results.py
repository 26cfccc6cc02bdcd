"""Results: each page has its limits and its way to measure, and no figure that the log has not."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from tests.source_tree import ROOT

DOCS = ROOT / "docs"
PAGES = sorted((DOCS / "results").glob("*.md"))
FIGURE = re.compile(r"(?<![\w.`-])\d*\.?\d+(?![\w`]|\.\d)")


def figures(text: str) -> set[str]:
    """The numbers in a page's tables, headings of columns left out."""
    rows = re.findall(r"^\|(?!.*\|$\n\|---)(.*)\|$", text, re.MULTILINE)
    return {number for row in rows for number in FIGURE.findall(row)}


def rounded(numbers: set[str]) -> set[Decimal]:
    """Numbers as a log has them, and rounded to fewer places, as a page may tell them."""
    exact = {Decimal(number) for number in numbers}
    return exact | {round(number, places) for number in exact for places in (1, 2)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_says_its_limits_and_how_it_was_measured(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    measured = text.partition("## How it was measured")[2]
    assert "\n## Limits\n" in text
    assert "```sh" in measured
    assert re.search(r"\d+ [A-Z][a-z]+\s20\d\d", measured), "no date"
    assert re.search(r"`[0-9a-f]{7}`", measured), "no commit"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_figure_of_a_table_stands_in_the_log(page: Path) -> None:
    logs = (DOCS / "lab").glob(f"{page.stem}*.md")
    log = "\n".join(entry.read_text(encoding="utf-8") for entry in logs)
    known = rounded(set(FIGURE.findall(log)))
    found = figures(page.read_text(encoding="utf-8"))
    assert found
    assert not {number for number in found if Decimal(number) not in known}


def test_every_figure_of_the_readme_stands_in_the_results() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").partition("## See it")[0]
    known = {n.lstrip("0.") for page in PAGES for n in FIGURE.findall(page.read_text("utf-8"))}
    assert not {number for number in figures(readme) if number.lstrip("0.") not in known}
