"""Plots: SVG, with words for who cannot see it; equal figures give equal bytes."""

from xml.etree import ElementTree

import pytest

from classifiers.reports.plots import bar_plot, drawn, figure, histogram, line_plot, roc_plot

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
