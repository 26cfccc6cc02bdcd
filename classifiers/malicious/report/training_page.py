"""The HTML report of a training: the numbers of `report.json`, and plots of the scores."""

from collections.abc import Mapping, Sequence
from typing import Any

from classifiers.malicious.calibration import reliability
from classifiers.malicious.candidate import Candidate
from classifiers.malicious.report.comparison import REFUSED, MeasuredPrompts
from classifiers.malicious.report.figures import RANKING
from classifiers.malicious.report.verdict import next_steps, verdict
from classifiers.reports.page import Cell, HtmlReport
from classifiers.reports.plots import bar_plot, histogram, line_plot, roc_plot
from classifiers.statistics.detection_metrics import roc

RATE_COLUMNS = ("rate", "low", "high", "rows")


def training_page(
    name: str,
    report: Mapping[str, Any],
    candidates: Mapping[str, Candidate],
    measured: MeasuredPrompts,
) -> bytes:
    """The page, UTF-8; plots need measured prompts of both classes."""
    page = HtmlReport(f"Malicious-prompt detector {name}").paragraph(verdict(report))
    page.section("What to do next")
    for step in next_steps(report):
        page.paragraph(step)
    _operating_point(page, report)
    _modes(page, report)
    chosen = candidates[report["mode"]]
    if len(set(measured.labels.tolist())) == 2:
        _plots(page, chosen, candidates, measured)
    _sources(page, report)
    _calibration(page, report)
    _gate(page, report["gate"])
    page.section("Data").table(("part", "prompts"), [*report["rows"].items()])
    _diagnostics(page, report["modes"])
    return page.html().encode()


def _operating_point(page: HtmlReport, report: Mapping[str, Any]) -> None:
    threshold, figures = report["threshold"], report["modes"][report["mode"]]
    page.section("Operating point")
    page.paragraph(
        f"Mode {report['mode']}. Scores at or above {threshold['value']:.4g} fire. "
        f"{threshold['guarantee']} ({threshold['rows']} prompts, {threshold['method']})."
    )
    page.paragraph(f"MeasuredPrompts on: {', '.join(report['measured_on']) or 'nothing'}.")
    rates = [[key, *_rate(figures[key])] for key in ("recall", "fpr")]
    page.table(("", *RATE_COLUMNS), rates, "at the threshold, 95 % intervals")


def _modes(page: HtmlReport, report: Mapping[str, Any]) -> None:
    page.section("Modes and baselines")
    lines: dict[str, Mapping[str, Any]] = {**report["modes"], **report["baselines"]}
    page.table(
        ("mode", *RANKING, "recall", "fpr", "seconds"),
        [
            [
                name,
                *(line.get(key) for key in RANKING),
                *(_rate(line.get(key))[0] for key in ("recall", "fpr")),
                line.get("seconds"),
            ]
            for name, line in lines.items()
        ],
        f"PR-AUC at a prior of {report['prior']:g}; baselines have no threshold",
    )
    for name, line in report["modes"].items():
        if REFUSED in line:
            page.paragraph(f"mode `{name}` took no part: {line[REFUSED]}")
    aurocs = {name: line["auroc"] for name, line in lines.items() if line.get("auroc") is not None}
    if aurocs:
        page.picture(bar_plot(aurocs, label="AUROC"))


def _plots(
    page: HtmlReport,
    chosen: Candidate,
    candidates: Mapping[str, Candidate],
    measured: MeasuredPrompts,
) -> None:
    labels, scores = measured.labels, measured.scores(chosen)
    page.section("Scores")
    series = {"benign": scores[labels == 0], "malicious": scores[labels == 1]}
    page.picture(histogram(series, threshold=chosen.threshold.value), "scores of both classes")
    curves = {}
    for name, candidate in candidates.items():
        own = measured.scores(candidate)
        curve = roc(own[labels == 1], own[labels == 0])
        curves[name] = (curve.fpr, curve.tpr)
    page.picture(roc_plot(curves), "ROC; the dotted lines are 0.1 % and 1 % false positives")
    bins = reliability(scores, labels)
    diagram: dict[str, tuple[list[float], list[float]]] = {
        "measured": ([b.score for b in bins], [b.malicious for b in bins]),
        "ideal": ([0, 1], [0, 1]),
    }
    page.picture(
        line_plot(diagram, across="score", up="share malicious"),
        "reliability, both classes weighted alike",
    )


def _sources(page: HtmlReport, report: Mapping[str, Any]) -> None:
    page.section("Sources")
    page.table(
        ("source", "label", *RATE_COLUMNS),
        [[row["source"], row["label"], *_rate(row["fired"])] for row in report["sources"]],
        "share of each source that fires, worst first",
    )
    page.table(
        ("source", *RATE_COLUMNS),
        [[row["source"], *_rate(row["fpr"])] for row in report["unseen_sources"]],
        "false positives on each benign source by a threshold from the others alone",
    )


def _calibration(page: HtmlReport, report: Mapping[str, Any]) -> None:
    page.section("Calibration")
    page.table(
        ("class", "level", "share of p-values at most that"),
        [
            [name, float(level), share]
            for name, shares in report["p_values"].items()
            for level, share in shares.items()
        ],
        "conformal p-values of measured prompts within their own class",
    )
    bins = [[b["score"], b["malicious"], b["rows"]] for b in report["reliability"]]
    page.table(("mean score", "share malicious", "prompts"), bins, "reliability")


def _gate(page: HtmlReport, gate: Mapping[str, Any] | None) -> None:
    if gate is None:
        return
    page.section("Gate")
    rows = [["yes" if check["passed"] else "no", check["sentence"]] for check in gate["checks"]]
    page.table(("passed", "check"), rows)


def _diagnostics(page: HtmlReport, modes: Mapping[str, Mapping[str, Any]]) -> None:
    page.section("What each mode found")
    rows: list[Sequence[Cell]] = [
        [mode, name, value if isinstance(value, str | float) else str(value)]
        for mode, line in modes.items()
        for name, value in line.get("diagnostics", {}).items()
    ]
    page.table(("mode", "fact", "value"), rows)


def _rate(share: Mapping[str, Any] | None) -> list[Cell]:
    return [share[key] for key in RATE_COLUMNS] if share else [None] * len(RATE_COLUMNS)
