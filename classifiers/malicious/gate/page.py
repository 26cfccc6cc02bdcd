"""The gate's result as a page: the verdict in words, what to do next, then every check."""

from typing import TYPE_CHECKING

from classifiers.reports.page import HtmlReport

if TYPE_CHECKING:
    from classifiers.malicious.gate.gate import GateResult


def verdict(result: "GateResult") -> str:
    """In a sentence, with what the gate set was too small to show."""
    failed = len(result.refusals)
    said = (
        f"May be promoted: {len(result.checks)} checks passed"
        if result.passed
        else f"Refused: {failed} of {len(result.checks)} checks failed"
    )
    if not result.warnings:
        return f"{said}."
    return f"{said}; but the gate set shows less than it could ({len(result.warnings)} warnings)."


def next_steps(result: "GateResult") -> list[str]:
    """What to do next."""
    steps = [f"Mend: {sentence}." for sentence in result.refusals]
    steps += [f"Too little to tell: {warning}." for warning in result.warnings]
    if result.passed:
        steps.append(
            "Promote it first in shadow or as a canary: ecoguard artifacts promote NAME VERSION "
            "--gate-report FILE."
        )
    return steps


def gate_page(name: str, result: "GateResult") -> HtmlReport:
    """One self-contained file."""
    page = HtmlReport(f"Gate: {name}").paragraph(verdict(result))
    page.section("What to do next")
    for step in next_steps(result):
        page.paragraph(step)
    page.section("Checks").table(
        ("check", "", "value", "limit", "in service", "in words"),
        [
            (
                c.name,
                "passed" if c.passed else "refused",
                c.value,
                c.limit,
                c.in_service,
                c.sentence,
            )
            for c in result.checks
        ],
    )
    if result.recall_by_kind:
        kinds = sorted(result.recall_by_kind.items(), key=lambda kind: kind[1])
        page.section("Attacks by kind, the least found first").table(("kind", "recall"), kinds)
    page.section("Gate set").table(("rows", "count"), [*result.rows.items()])
    return page
