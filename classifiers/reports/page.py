"""HTML reports of training and evaluation: one file, self-contained, every text escaped.

Figures are drawn by matplotlib's object interface (no global state) and embedded as SVG images.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:68rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;margin:1rem 0;font-size:13px;display:block;overflow-x:auto}
td,th{border-bottom:1px solid #ddd;padding:.25rem .6rem;text-align:left;vertical-align:top}
td.number,th.number{text-align:right;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.3rem 0}
figure{margin:1rem 0}figcaption{color:#555;font-size:13px}img{max-width:100%}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

Cell = str | float | int | None


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn figure: SVG, and in words what it shows."""

    svg: bytes
    alt: str


@dataclass(slots=True)
class HtmlReport:
    """A page that is built from top to bottom; every method returns the report itself."""

    title: str
    _parts: list[str] = field(default_factory=list)

    def section(self, heading: str) -> Self:
        """A heading."""
        return self._add(f"<h2>{escape(heading)}</h2>")

    def paragraph(self, text: str) -> Self:
        """Running text."""
        return self._add(f"<p>{escape(text)}</p>")

    def table(
        self, header: Sequence[str], rows: Iterable[Sequence[Cell]], caption: str = ""
    ) -> Self:
        """A table; floats are shown with three decimals, None and NaN as a dash."""
        head = "".join(f"<th>{escape(name)}</th>" for name in header)
        body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
        title = f"<caption>{escape(caption)}</caption>" if caption else ""
        return self._add(
            f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )

    def picture(self, picture: Picture, caption: str = "") -> Self:
        """A figure."""
        data = b64encode(picture.svg).decode()
        image = f'<img alt="{escape(picture.alt)}" src="data:image/svg+xml;base64,{data}">'
        text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        return self._add(f"<figure>{image}{text}</figure>")

    def html(self) -> str:
        """The whole page."""
        title = escape(self.title)
        return (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
            f"<title>{title}</title><style>{STYLE}</style></head>\n<body><h1>{title}</h1>\n"
            + "\n".join(self._parts)
            + "\n</body></html>\n"
        )

    def write(self, path: Path) -> None:
        """The page as a file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html(), encoding="utf-8")

    def _add(self, part: str) -> Self:
        self._parts.append(part)
        return self


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


def _cell(value: Cell) -> str:
    if isinstance(value, str):
        return f"<td>{escape(value)}</td>"
    if value is None or value != value:  # NaN
        return '<td class="number">–</td>'
    text = str(value) if isinstance(value, int) else f"{value:.3f}"
    return f'<td class="number">{text}</td>'
