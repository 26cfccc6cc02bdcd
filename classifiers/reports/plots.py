"""Plots of training and evaluation, as SVG that needs nothing outside it.

They are drawn by matplotlib's object interface, without global state; equal values give equal
bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn figure: SVG, and in words what it shows."""

    svg: bytes
    alt: str


def figure(alt: str, width: float = 7, height: float = 3.6) -> "tuple[Figure, Axes]":
    """An empty figure of so many inches and its axes; `drawn` makes a picture of it."""
    from matplotlib.figure import Figure

    empty = Figure(figsize=(width, height), layout="constrained")
    empty.set_label(alt)
    return empty, empty.add_subplot()


def drawn(whole: "Figure") -> Picture:
    """The picture of a figure; the same figure gives the same bytes."""
    from matplotlib import rc_context

    buffer = BytesIO()
    with rc_context({"svg.hashsalt": "ecoguard"}):
        whole.savefig(buffer, format="svg", metadata={"Date": None})
    return Picture(buffer.getvalue(), str(whole.get_label()))


def histogram(
    series: Mapping[str, ArrayLike], *, label: str = "score", threshold: float | None = None
) -> Picture:
    """Overlaid histograms, each as a share of its own rows; a line at the threshold."""
    whole, axes = figure(f"histogram of {label} for {', '.join(series)}")
    values = {name: np.asarray(scores, dtype=np.float64) for name, scores in series.items()}
    everything = np.concatenate([*values.values(), np.zeros(0)])
    low, high = (everything.min(), everything.max()) if len(everything) else (0.0, 1.0)
    bins = np.linspace(low, high if high > low else low + 1, 51)
    for name, scores in values.items():
        if len(scores):
            weights = np.full(len(scores), 1 / len(scores))
            axes.hist(scores, bins=list(bins), weights=weights, alpha=0.55, label=_plain(name))
    if threshold is not None:
        axes.axvline(threshold, color="black", linestyle="--", label="threshold")
    _finish(axes, label, "share of rows")
    return drawn(whole)


def roc_plot(curves: Mapping[str, tuple[ArrayLike, ArrayLike]], floor: float = 1e-4) -> Picture:
    """ROC curves (false-positive rates, true-positive rates) on a logarithmic axis from `floor`."""
    whole, axes = figure(f"ROC curves of {', '.join(curves)}", height=4.4)
    for name, (fpr, tpr) in curves.items():
        axes.step(
            np.maximum(np.asarray(fpr), floor), np.asarray(tpr), where="post", label=_plain(name)
        )
    axes.set_xscale("log")
    axes.set_xlim(floor, 1)
    axes.set_ylim(0, 1.02)
    for rate in (0.001, 0.01):
        axes.axvline(rate, color="grey", linewidth=0.6, linestyle=":")
    _finish(axes, "false-positive rate", "true-positive rate")
    return drawn(whole)


def bar_plot(
    values: Mapping[str, float],
    *,
    label: str,
    intervals: Mapping[str, tuple[float, float]] | None = None,
) -> Picture:
    """Horizontal bars, first on top, with confidence intervals (low, high) where given."""
    whole, axes = figure(f"bars of {label}", height=1 + 0.24 * len(values))
    names = list(values)
    places = np.arange(len(names))
    axes.barh(places, [values[name] for name in names], color="#4878a8")
    for place, name in zip(places, names, strict=True):
        if intervals and name in intervals:
            axes.plot(intervals[name], [place, place], color="black", linewidth=1)
    axes.set_yticks(places, [_plain(name) for name in names], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(label)
    return drawn(whole)


def line_plot(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], *, across: str, up: str
) -> Picture:
    """Lines with marks: reliability diagrams, sweeps, learning curves."""
    whole, axes = figure(f"{up} over {across}")
    for name, (x, y) in curves.items():
        axes.plot(np.asarray(x), np.asarray(y), marker="o", markersize=3, label=_plain(name))
    _finish(axes, across, up)
    return drawn(whole)


def _finish(axes: Any, across: str, up: str) -> None:
    axes.set_xlabel(across)
    axes.set_ylabel(up)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(fontsize=8)


def _plain(name: str) -> str:
    """A name as text: matplotlib would read what stands between dollar signs as mathematics."""
    return name.replace("$", r"\$")
