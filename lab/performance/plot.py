"""Results as a picture: p50 and CPU per request, as ratios, a panel each."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lab.performance.measurement import Cell

PANELS = (("p50_ms", "p50, times direct access"), ("cpu_us", "CPU per request, times nginx"))


def plot(results: Sequence[Mapping[str, Any]], out: Path) -> None:
    """Write a PNG; logarithmic, a group of bars for each cell."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    names = list(dict.fromkeys(name for result in results for name in result["figures"]))
    figure, panels = pyplot.subplots(
        1, len(PANELS), figsize=(14, 1 + 0.13 * len(results) * (len(names) + 2)), sharey=True
    )
    for panel, (key, title) in zip(panels, PANELS, strict=True):
        _panel(panel, results, names, key)
        panel.set_title(title)
        if any(key in ratios for result in results for ratios in result["ratios"].values()):
            panel.set_xscale("log")
        panel.grid(axis="x", alpha=0.3)
    panels[0].set_yticks(
        range(len(results)), [Cell(**result["cell"]).name for result in results], fontsize=7
    )
    panels[0].invert_yaxis()
    panels[1].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    pyplot.close(figure)


def _panel(
    panel: Any, results: Sequence[Mapping[str, Any]], names: Sequence[str], key: str
) -> None:
    height = 0.8 / len(names)
    for place, name in enumerate(names):
        values = [result["ratios"].get(name, {}).get(key, 0) for result in results]
        at = [row - 0.4 + (place + 0.5) * height for row in range(len(results))]
        panel.barh(at, values, height, label=name)
