"""What a forget classifier misses, in words and as a page: before anything that it finds."""

from collections.abc import Mapping
from typing import Any

from classifiers.reports.page import HtmlReport

FEW_MISSED = 0.05
"""The share of missed prompts above which somebody ought to do something."""
ROWS = {
    "prompts_head_alone": "as asked, judged by the head alone: as if no name were in them",
    "disguised_head_alone": "rewritten, judged by the head alone",
    "prompts": "as asked",
    "disguised": "rewritten",
    "strangers": "the same about strangers",
}


def verdict(report: Mapping[str, Any]) -> str:
    """In a sentence or two: what is missed, with names and without, and false alarms."""
    plain, alone = report["prompts"], report["prompts_head_alone"]
    disguised = report["disguised"]
    return (
        f"Misses {_of(alone)} questions that name nobody by a name it knows, {_of(plain)} as they "
        f"were asked and {_of(disguised)} rewritten ones; none of these was learned from. False "
        f"alarms: {plain['fpr']:.2%} of {plain['retain']} harmless prompts, "
        f"{report['strangers']['fpr']:.2%} of {report['strangers']['retain']} about strangers."
    )


def _of(rates: Mapping[str, Any]) -> str:
    """Of a hundred, for rates count better so."""
    return f"{100 * rates['fnr']:.0f} of 100"


def advice(report: Mapping[str, Any]) -> list[str]:
    """What to do next."""
    told = []
    if report["prompts_head_alone"]["fnr"] > FEW_MISSED:
        told.append(
            "Names do most of the work: what describes the subject without naming it will often be "
            "answered. Add what it is known by to `aliases`, and paraphrases to forget.jsonl."
        )
    if report["disguised"]["fnr"] > FEW_MISSED:
        told.append("Rewritten questions are missed: add more wordings to forget.jsonl.")
    if report["known_missed"]:
        told.append(
            f"{report['known_missed']} of the forget prompts themselves are not found: look for "
            "retain prompts that say the same."
        )
    if not report["threshold"]["finds_forget"]:
        told.append(
            "The threshold that keeps harmless prompts safe misses forget prompts: give more "
            "ordinary prompts with --retain, or allow more false alarms (--fpr, --set-size)."
        )
    told.append(
        "Measure with paraphrases of your own, which nothing here has seen: "
        "ecoguard-train evaluate forget ARTIFACT FILES."
    )
    return told


def forget_page(name: str, report: Mapping[str, Any]) -> bytes:
    """The page, UTF-8."""
    page = HtmlReport(f"Forget request {name}").paragraph(verdict(report))
    page.section("What to do next")
    for step in advice(report):
        page.paragraph(step)
    page.section("Figures").table(
        ("prompts", "missed", "of", "false alarms", "of"),
        [
            (title, rates["fnr"], rates["forget"], rates["fpr"], rates["retain"])
            for title, rates in ((title, report[row]) for row, title in ROWS.items())
        ],
    )
    threshold, known = report["threshold"], report["exemplars"]
    page.section("Threshold").paragraph(
        f"Scores at or above {threshold['value']:.4g} fire ({threshold['method']}, from "
        f"{threshold['retain_rows']} retain prompts). {known['count']} forget prompts are known by "
        f"heart; {known['ambiguous']} cannot be told from retain prompts."
    )
    return page.html().encode()
