"""Reports: everything is escaped and inside the one file."""

import re
from pathlib import Path

from classifiers.reports.page import HtmlReport
from classifiers.reports.plots import Picture, histogram

EVIL = "<script>alert('x')</script>&"


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
