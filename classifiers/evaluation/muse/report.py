"""The report of a MUSE evaluation: report.json and one HTML page; neither holds a text."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from classifiers.evaluation.muse.evaluation import Measured
from classifiers.evaluation.muse.figures import Figures
from classifiers.reports.page import Cell, HtmlReport
from classifiers.reports.plots import bar_plot, histogram, line_plot

JSON, HTML = "report.json", "report.html"
CRITERIA = (
    ("verbatim, forget", "verbatim_forget"),
    ("knowledge, forget", "knowledge_forget"),
    ("privacy leakage", "privacy_leakage"),
    ("Min-K% AUC", "leakage_auc"),
    ("knowledge, retain", "knowledge_retain"),
    ("verbatim, retain", "verbatim_retain"),
    ("verbatim, held out", "verbatim_held_out"),
)
STAGE = (
    *("requests", "share", "verbatim_forget", "knowledge_forget", "knowledge_retain"),
    *("forget_corrupted", "retain_corrupted"),
)


def write_report(
    folder: Path, settings: Figures, found: Mapping[str, Any], measured: Mapping[str, Measured]
) -> None:
    """Write both files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"settings": settings, **found}
    (folder / JSON).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    page = HtmlReport("MUSE")
    page.paragraph("; ".join(f"{name} {value}" for name, value in settings.items()))
    _criteria(page, found["ways"])
    _privacy(page, measured)
    _gate(page, found["corrupted"])
    for kind, meaning in (
        ("scalability", "One request over a growing share of the forget passages."),
        ("sustainability", "Requests added one after the other, a fold of passages each."),
    ):
        if found[kind]:
            _stages(page, kind, meaning, found[kind])
    page.write(folder / HTML)


def _criteria(page: HtmlReport, ways: Mapping[str, Any]) -> None:
    page.section("Criteria 1 to 4")
    page.paragraph(
        "Means of ROUGE-L F1; privacy leakage in percent. The aim is the retain model's row: less "
        "than it knows of what is forgotten shows that something was. Utility is what is left of "
        "knowledge on retained passages."
    )
    rows: list[list[Cell]] = [
        [name, *(way[key] for _, key in CRITERIA)] for name, way in ways.items()
    ]
    page.table(["way", *(title for title, _ in CRITERIA)], rows)
    for title, key in CRITERIA[:2]:
        page.picture(bar_plot({name: float(way[key]) for name, way in ways.items()}, label=title))


def _privacy(page: HtmlReport, measured: Mapping[str, Measured]) -> None:
    scored = {name: found.min_k for name, found in measured.items() if found.min_k}
    if scored:
        page.section("Min-K% of forget and held-out passages")
    for name, scores in scored.items():
        values = {kind: [s for s in found if s == s] for kind, found in scores.items()}  # no NaN
        page.picture(histogram(values, label=f"Min-40% log-probability, {name}"))


def _gate(page: HtmlReport, corrupted: Mapping[str, float]) -> None:
    page.section("Prompts that the guard corrupted or blocked")
    page.table(list(corrupted), [list(corrupted.values())])


def _stages(page: HtmlReport, kind: str, meaning: str, stages: Sequence[Mapping[str, Any]]) -> None:
    page.section(kind.capitalize())
    page.paragraph(meaning)
    page.table(
        [name.replace("_", " ") for name in STAGE],
        [[stage[name] for name in STAGE] for stage in stages],
    )
    shares = [stage["share"] for stage in stages]
    curves = {
        name.replace("_", " "): (shares, [stage[name] for stage in stages])
        for name in ("knowledge_retain", "knowledge_forget", "verbatim_forget")
    }
    page.picture(line_plot(curves, across="share of forget passages", up="ROUGE-L F1"))
