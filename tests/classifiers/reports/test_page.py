"""Reports: everything is escaped and inside the one file; equal figures give equal bytes."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from classifiers.reports.page import (
    HtmlReport,
    Picture,
    bar_plot,
    drawn,
    figure,
    histogram,
    line_plot,
    roc_plot,
)

EVIL = "<script>alert('x')</script>&"
PICTURES = {
    "histogram": lambda: histogram({"a $x$ <b>": [0.1, 0.9], "none": []}, threshold=0.5),
    "histogram of one value": lambda: histogram({"a": [0.5, 0.5]}),
    "histogram of nothing": lambda: histogram({"a": []}),
    "roc": lambda: roc_plot({"a_$": ([0, 0.5, 1], [0, 1, 1])}),
    "bars": lambda: bar_plot({"$one": 0.1, "two$": 0.2}, label="rate", intervals={"two$": (0, 1)}),
    "lines": lambda: line_plot({"a": ([0, 1], [1, 0])}, across="x", up="y"),
}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_svg_and_repeat(name: str) -> None:
    picture = PICTURES[name]()
    assert ElementTree.fromstring(picture.svg).tag.endswith("svg")
    assert picture.alt
    assert picture == PICTURES[name]()


def test_a_figure_of_ones_own() -> None:
    whole, axes = figure("two points")
    axes.plot([0, 1])
    assert drawn(whole).alt == "two points"


def test_everything_is_escaped() -> None:
    page = HtmlReport(EVIL).section(EVIL).paragraph(EVIL).table([EVIL], [[EVIL]], EVIL)
    html = page.picture(Picture(b"<svg/>", EVIL), EVIL).html()
    assert "<script" not in html
    assert html.count("&lt;script&gt;") == 9


def test_the_page_needs_nothing_else() -> None:
    html = HtmlReport("t").picture(histogram({"a": [0.5]})).html()
    places = re.findall(r'(?:src|href)="([^"]{0,40})', html)
    assert places
    assert all(place.startswith("data:image/svg+xml;base64,") for place in places)
    assert "default-src 'none'" in html


def test_cells() -> None:
    html = HtmlReport("t").table(["a"], [[0.12345, 7, None, float("nan"), "word"]]).html()
    cells = re.findall(r"<td[^>]*>([^<]*)</td>", html)
    assert cells == ["0.123", "7", "–", "–", "word"]


def test_the_page_is_written(tmp_path: Path) -> None:
    page = HtmlReport("título")
    page.write(tmp_path / "deep" / "report.html")
    assert (tmp_path / "deep" / "report.html").read_text(encoding="utf-8") == page.html()
