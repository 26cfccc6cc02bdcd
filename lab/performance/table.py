"""Results as lines of text."""

from collections.abc import Iterator, Mapping
from typing import Any

from lab.performance.measurement import FIGURES, Cell

_HEADINGS = ("req/s", "p50 ms", "p99 ms", "first ms", "CPU us", "MiB")


def lines(result: Mapping[str, Any]) -> Iterator[str]:
    """A cell as a table: each figure, and in brackets its ratio (`measurement.ratios`)."""
    yield Cell(**result["cell"]).name
    yield f"  {'':12s}" + "".join(f"{heading:>19s}" for heading in _HEADINGS)
    for name, figures in result["figures"].items():
        ratios = result["ratios"][name]
        cells = (_cell(figures[figure], ratios.get(figure)) for figure in FIGURES)
        yield f"  {name:12s}" + "".join(f"{cell:>19s}" for cell in cells)


def _cell(value: float, ratio: float | None) -> str:
    shown = f"{value:.0f}" if value >= 1000 else f"{value:.3g}"
    return shown if ratio is None else f"{shown} ({ratio:.3g}x)"
