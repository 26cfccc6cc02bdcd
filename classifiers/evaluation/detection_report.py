"""The report of a detection evaluation: report.json and one HTML page with plots and tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
from pydantic import JsonValue

from classifiers.evaluation.detection_figures import Figures, ScoredPrompts, rate_of
from classifiers.reports.page import HtmlReport
from classifiers.reports.plots import bar_plot, histogram, line_plot, roc_plot
from classifiers.statistics import detection_metrics as metrics

JSON, HTML = "report.json", "report.html"

POOLED = (
    *("rows_malicious", "rows_benign", "auroc", "tpr_at_fpr_0.01", "tpr_at_fpr_0.001", "fpr95"),
    *("partial_auroc_0.01", "pr_auc", "length_matched_auroc", "calibration_error"),
    *("recall", "fpr", "fpr_ordinary", "fpr_hard"),
)
FAMILY = (
    *("rows", "auroc_ordinary", "auroc_hard", "tpr_at_fpr_0.01_ordinary", "tpr_at_fpr_0.01_hard"),
    "recall",
)
DISGUISES = (
    *("family", "disguise", "recall", "recall_without_views", "recall_lost"),
    *("fpr", "fpr_without_views", "fpr_gained"),
)


def write_report(
    folder: Path,
    settings: Figures,
    artifact: tuple[Figures, ScoredPrompts] | None,
    modes: Mapping[str, tuple[Figures, ScoredPrompts]],
) -> None:
    """Write report.json and report.html into `folder`; neither holds a prompt."""
    document: Figures = {
        "settings": settings,
        "artifact": artifact[0] if artifact else None,
        "modes": {name: found for name, (found, _) in modes.items()},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / JSON).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    page = HtmlReport("Detection of malicious prompts")
    page.paragraph("; ".join(f"{name} {value}" for name, value in settings.items()))
    if modes:
        _comparison(page, modes)
    if artifact:
        _artifact(page, *artifact)
    for name, (found, scored) in modes.items():
        page.section(f"Mode {name}, leave-one-source-out")
        _figures(page, found, scored)
    page.write(folder / HTML)


def _comparison(page: HtmlReport, modes: Mapping[str, tuple[Figures, ScoredPrompts]]) -> None:
    page.section("Modes side by side, leave-one-source-out")
    page.paragraph(
        "Every prompt is scored by a model that saw nothing of its source; thresholds are nested."
    )
    page.table(
        ["mode", *POOLED],
        [[name, *_cells(found["pooled"], POOLED)] for name, (found, _) in modes.items()],
        "all malicious against all benign prompts",
    )
    page.table(
        ["mode", *POOLED],
        [
            [name, *_cells(_part(found, "generated", "pooled"), POOLED)]
            for name, (found, _) in modes.items()
        ],
        "generated prompts (held-out half): twins, wrapped requests, injections, extraction",
    )
    page.picture(roc_plot({name: _roc(scored) for name, (_, scored) in modes.items()}))


def _artifact(page: HtmlReport, found: Figures, scored: ScoredPrompts) -> None:
    page.section("The artifact as served, at its own threshold")
    _figures(page, found, scored)
    page.table(POOLED, [_cells(_part(found, "generated", "pooled"), POOLED)], "generated prompts")
    families = _rows(found["obfuscation_families"])
    columns = tuple(families[0]) if families else ()
    page.section("Disguises")
    page.paragraph(f"False positives gained by views: {found['fpr_gained_by_views']}")
    page.table(columns, [_cells(row, columns) for row in families], "by family, means")
    disguises = _rows(found["obfuscation"])
    page.table(DISGUISES, [_cells(row, DISGUISES) for row in disguises], "each disguise")
    padding = _rows(found["padding"])
    columns = tuple(padding[0]) if padding else ()
    page.table(columns, [_cells(row, columns) for row in padding], "verdicts flipped by padding")


def _figures(page: HtmlReport, found: Figures, scored: ScoredPrompts) -> None:
    """Tables and plots that an artifact and a mode have alike."""
    bad, good = scored.malicious, ~scored.malicious
    page.table(POOLED, [_cells(found["pooled"], POOLED)], "pooled")
    series = {
        "malicious": scored.scores[bad],
        "ordinary benign": scored.scores[good & ~scored.hard],
        "hard benign": scored.scores[scored.hard],
    }
    threshold = found.get("threshold")
    page.picture(histogram(series, threshold=threshold if isinstance(threshold, float) else None))
    if bad.any() and good.any():
        page.picture(roc_plot({"pooled": _roc(scored)}))
        means, shares = metrics.reliability(scored.scores, bad)
        ideal = [0.0, 1.0]
        curves = {"scores": (means, shares), "ideal": (ideal, ideal)}
        page.picture(line_plot(curves, across="mean score", up="share malicious"))
    families = _rows(found["families"])
    page.table(("family", *FAMILY), [_cells(row, ("family", *FAMILY)) for row in families])
    _sources(page, _rows(found["sources"]))
    languages = [
        [str(row["language"]), *_rate_cells(row["recall"]), *_rate_cells(row["fpr"])]
        for row in _rows(found["languages"])
    ]
    header = ["language", "recall", "low", "high", "rows", "FPR", "low", "high", "rows"]
    page.table(header, languages, "by guessed language")


def _sources(page: HtmlReport, rows: Sequence[Mapping[str, Any]]) -> None:
    for label, title in (
        ("malicious", "recall by source"),
        ("benign", "false positives by source"),
    ):
        own = [row for row in rows if row["label"] == label]
        header = ["source", "hard", "rate", "low", "high", "rows", "median score"]
        cells = [
            [
                str(row["source"]),
                "hard" if row["hard"] else "",
                *_rate_cells(row["fired"]),
                row["median_score"],
            ]
            for row in own
        ]
        page.table(header, cells, title)
        if own:
            rates = {str(row["source"]): rate_of(row["fired"]) or 0.0 for row in own}
            ranges = {str(r["source"]): (r["fired"]["low"], r["fired"]["high"]) for r in own}
            page.picture(bar_plot(rates, label=title, intervals=ranges))


def _roc(scored: ScoredPrompts) -> tuple[Any, Any]:
    curve = metrics.roc(scored.scores[scored.malicious], scored.scores[~scored.malicious])
    return curve.fpr, curve.tpr


def _part(found: Figures, *path: str) -> JsonValue:
    value: JsonValue = found
    for step in path:
        value = value[step] if isinstance(value, dict) else None
    return value


def _rows(value: JsonValue) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _cells(row: JsonValue | Mapping[str, Any], columns: Sequence[str]) -> list[Any]:
    """A row's values in that order, a rate with its rows by the rate."""
    values = row if isinstance(row, Mapping) else {}
    return [
        rate_of(value) if isinstance(value := values.get(column), Mapping) else value
        for column in columns
    ]


def _rate_cells(figure: Any) -> list[Any]:
    return [figure["rate"], figure["low"], figure["high"], figure["rows"]]
