"""The report of a TOFU evaluation: report.json and one HTML page; neither holds a question."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from classifiers.evaluation.tofu.evaluation import Measured
from classifiers.evaluation.tofu.figures import TIMES, Figures
from classifiers.evaluation.tofu.row_logs import truth_ratios
from classifiers.evaluation.tofu.ways import DIRECT, PROXY, RETAIN
from classifiers.reports.page import Cell, HtmlReport
from classifiers.reports.plots import Picture, bar_plot, drawn, figure

JSON, HTML = "report.json", "report.html"
TITLES: Mapping[str, str] = {
    "forget": "Forget set",
    "retain": "Retain set",
    "real_authors": "Real authors",
    "world_facts": "World facts",
}
FORGET = (
    *("forget ROUGE-L", "above retain", "probability", "above retain", "truth ratio"),
    *("p raw", "p folded", "leak", "leak, distinctive", "utility", "utility lost"),
)


def write_report(folder: Path, settings: Figures, found: Figures, measured: Measured) -> None:
    """Write both files into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"settings": settings, **found}
    (folder / JSON).write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    page = HtmlReport(f"TOFU forget{found['size']}")
    page.paragraph("; ".join(f"{name} {value}" for name, value in settings.items()))
    ways = _mapping(found["ways"])
    _forgetting(page, ways, measured)
    _answers_too(page, _mapping(found["answers_corrupted_too"]))
    _utility(page, ways)
    _path(page, found)
    page.write(folder / HTML)


def _forgetting(page: HtmlReport, ways: Mapping[str, Any], measured: Measured) -> None:
    page.section("Forgetting")
    page.paragraph(
        "The aim is the retain model's row, not the smallest numbers. p is that of a two-sided "
        "Kolmogorov-Smirnov test of truth ratios against the retain model's: raw is TOFU's forget "
        "quality, folded is what ECO's code tests. Only prompts are corrupted here. A leak is an "
        "answer that says a name or figure of the gold answer which the question has not; "
        "distinctive ones stand in no answer about others."
    )
    page.table(["way", *FORGET], [[name, *_forget_row(way)] for name, way in ways.items()])
    ratios = {name: truth_ratios(logs["forget"]) for name, logs in measured.logs.items()}
    page.picture(_curves({name: found for name, found in ratios.items() if found is not None}))
    page.picture(_scatter(ways))
    rouge = {name: float(way["sets"]["forget"]["rouge"]) for name, way in ways.items()}
    page.picture(bar_plot(rouge, label="forget ROUGE-L recall"))
    leaks = {
        name: float(way["sets"]["forget"]["leak"] or 0.0)
        for name, way in ways.items()
        if way["sets"]["forget"]["rows_with_phrases"]
    }
    page.picture(bar_plot(leaks, label="share of forget answers that leak a key phrase"))


def _forget_row(way: Mapping[str, Any]) -> list[Cell]:
    forget, quality = way["sets"]["forget"], way["forget_quality"] or {}
    return [
        forget["rouge"],
        way["rouge_above_retain"],
        forget["probability"],
        way["probability_above_retain"],
        forget["truth_ratio"],
        *(_small(quality.get(kind)) for kind in ("raw", "folded")),
        forget["leak"],
        forget["leak_distinctive"],
        way["model_utility"],
        way["utility_lost"],
    ]


def _answers_too(page: HtmlReport, ways: Mapping[str, Any]) -> None:
    if not ways:
        return
    page.section("The paper's variant: answers corrupted too")
    page.paragraph(
        "ECO's script corrupts the candidate answers that it scores as well as the prompt. No "
        "server does that; these numbers only compare with the paper's. The end of an answer is "
        "not scored here."
    )
    page.table(
        ["way", "rows", "probability", "truth ratio", "p raw", "p folded"],
        [
            [
                name,
                *(way[column] for column in ("rows", "probability", "truth_ratio")),
                *(_small((way["forget_quality"] or {}).get(kind)) for kind in ("raw", "folded")),
            ]
            for name, way in ways.items()
        ],
    )


def _utility(page: HtmlReport, ways: Mapping[str, Any]) -> None:
    page.section("Utility")
    page.paragraph(
        "Model utility is the harmonic mean of probability, ROUGE-L recall and truth ratio over "
        "the three sets."
    )
    for name, title in TITLES.items():
        rows: list[list[Cell]] = []
        for way, found in ways.items():
            if values := found["sets"].get(name):
                columns = ("rows", "rouge", "probability", "truth_ratio", "leak")
                rows.append([way, *(values[column] for column in columns)])
        page.table(["way", "rows", "ROUGE-L", "probability", "truth ratio", "leak"], rows, title)
    utility = {
        name: float(way["model_utility"])
        for name, way in ways.items()
        if way["model_utility"] is not None
    }
    if utility:
        page.picture(bar_plot(utility, label="model utility"))


def _path(page: HtmlReport, found: Figures) -> None:
    page.section("The proxy beside direct access")
    page.paragraph("Greedy answers; times, in milliseconds, are of the rows asked one at a time.")
    gate, compared = _mapping(found["gate"]), _mapping(found["proxy_against_direct"])
    columns = ("rows", "unchanged", *TIMES)
    page.table(
        ["set", "corrupted or blocked", *columns],
        [
            [TITLES[name], gate[name]["corrupted_or_blocked"], *(row[c] for c in columns)]
            for name, row in compared.items()
        ],
    )


def _curves(ratios: Mapping[str, Sequence[float]]) -> Picture:
    """Distribution functions of the truth ratios: forget quality is their largest distance."""
    whole, axes = figure("distribution of truth ratios by way of asking", height=5)
    for name, values in ratios.items():
        main = name in (DIRECT, RETAIN, PROXY)
        axes.ecdf(values, label=name, linewidth=2.2 if main else 0.9)
    axes.set_xscale("log")
    axes.set_xlabel("truth ratio R of forget questions")
    axes.set_ylabel("share of rows at or below")
    axes.legend(fontsize=7)
    return drawn(whole)


def _scatter(ways: Mapping[str, Any]) -> Picture:
    """Where each way stands to the retain model, in the two measures that corruption moves."""
    whole, axes = figure("forget ROUGE-L recall over answer probability", height=5)
    for name, way in ways.items():
        forget = way["sets"]["forget"]
        if forget["probability"] is not None:
            marker = "*" if name == RETAIN else "o"
            axes.scatter(forget["probability"], forget["rouge"], marker=marker, label=name)
    axes.set_xlabel("probability of the forget answers")
    axes.set_ylabel("forget ROUGE-L recall")
    axes.legend(fontsize=7)
    return drawn(whole)


def _small(value: float | None) -> Cell:
    """A p-value: these span many powers of ten."""
    return None if value is None else f"{value:.3g}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
