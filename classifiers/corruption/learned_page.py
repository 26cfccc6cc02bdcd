"""The HTML report of a learned corruption: reference, trace, best so far, spread, cost."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from classifiers.reports.page import HtmlReport
from classifiers.reports.plots import Picture, drawn, figure, line_plot

Lines = Sequence[Mapping[str, Any]]


def learned_page(name: str, report: Mapping[str, Any]) -> bytes:
    """The page, UTF-8, from what stands in `report.json`."""
    page = HtmlReport(f"Learned corruption for {name}").paragraph(report["summary"])
    _against_reference(page, report)
    trace: Lines = report["trace"]
    page.section("The search")
    page.picture(trace_plot(trace), "every measured candidate; lines mark the best so far")
    page.picture(_best_so_far(trace), "best distance after so many evaluations")
    page.table(
        ("", "stage", "kind", "dims", "strength", *report["reference"], "distance", "seconds"),
        [
            [
                at,
                *(row.get(key) for key in ("stage", "kind", "dims", "strength")),
                *(row.get(key) for key in report["reference"]),
                row["distance"],
                row["seconds"],
            ]
            for at, row in enumerate(trace, 1)
        ],
        "all evaluations, in order",
    )
    cost = report["cost"]
    page.section("Cost").table(
        ("requests", "seconds", "evaluations", "questions of the search", "all questions"),
        [[cost["requests"], cost["seconds"], report["evaluations"], *report["questions"].values()]],
    )
    return page.html().encode()


def _against_reference(page: HtmlReport, report: Mapping[str, Any]) -> None:
    reference, spread = report["reference"], report["spread"]
    page.section("Against the reference")
    rows = [
        [
            name,
            report["uncorrupted"].get(name),
            report["metrics"][name],
            value,
            *(f([row[name] for row in spread]) if spread else None for f in (min, max)),
        ]
        for name, value in reference.items()
    ]
    page.table(
        ("metric", "uncorrupted", "corrupted", "reference", "lowest", "highest"),
        rows,
        f"means over all questions; lowest and highest under {len(spread)} other noise keys",
    )
    page.picture(_bars(report), "corrupted against reference and uncorrupted")


def _bars(report: Mapping[str, Any]) -> Picture:
    names = list(report["reference"])
    series = {
        "uncorrupted": report["uncorrupted"],
        "corrupted": report["metrics"],
        "reference": report["reference"],
    }
    whole, axes = figure("metrics of the corrupted model against the reference", height=3)
    places = np.arange(len(names))
    for at, (label, values) in enumerate(series.items()):
        heights = [values.get(name, np.nan) for name in names]
        axes.bar(places + (at - 1) * 0.27, heights, 0.25, label=label)
    axes.set_xticks(places, names)
    axes.set_ylim(0, 1.02)
    axes.legend(fontsize=8)
    return drawn(whole)


def trace_plot(trace: Lines) -> Picture:
    """Distance of each evaluation in order, by kind; crosses were measured on all questions."""
    whole, axes = figure("distance of each evaluation, by kind of corruption", height=4)
    for kind in dict.fromkeys(row["kind"] for row in trace):
        for stage, marker in (("search", "o"), ("full", "x")):
            found = [
                (at, row["distance"])
                for at, row in enumerate(trace, 1)
                if (row["kind"], row["stage"]) == (kind, stage)
            ]
            if found:
                label = kind if stage == "search" else None
                x, y = zip(*found, strict=True)
                axes.scatter(x, y, s=18, marker=marker, label=label)
    best = list(accumulate((row["distance"] for row in trace), min))
    axes.step(np.arange(1, len(best) + 1), best, where="post", color="grey", linewidth=1)
    axes.set_yscale("symlog", linthresh=1)
    axes.set_xlabel("evaluation")
    axes.set_ylabel("distance from the reference")
    axes.legend(fontsize=7)
    return drawn(whole)


def _best_so_far(trace: Lines) -> Picture:
    curves = {}
    for stage, name in (("search", "on the search's questions"), ("full", "on all questions")):
        places = [at for at, row in enumerate(trace, 1) if row["stage"] == stage]
        values = [trace[at - 1]["distance"] for at in places]
        if places:
            curves[name] = (np.array(places), np.minimum.accumulate(values))
    return line_plot(curves, across="evaluation", up="best distance so far")
