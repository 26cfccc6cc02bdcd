"""The words of a detector's model card: data and their authors, the guarantee, the limits."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from classifiers.malicious.report.verdict import verdict

LIMITS = (
    "The guarantee holds for prompts exchangeable with the calibration prompts: same clients, "
    "same mix, same time. Benign prompts of a source that was not among them fire more often; the "
    "report's table of unseen sources shows by how much.",
    "Prompts unlike those it learned from may pass. Whoever may try often enough finds a prompt "
    "that does: the detector limits a rate and shows who tries, it is no boundary.",
    "Scores are probabilities only where half of all prompts are malicious. At the precision that "
    "matters, the share of verdicts that are right falls with the share of attacks.",
    "Read is text, in the views and windows that screening makes of it; images and sound are not.",
)


def card_text(report: Mapping[str, Any], attribution: Mapping[str, str]) -> str:
    """The Markdown that follows the card's table of facts, from the figures of `report.json`."""
    return "\n".join(_lines(report, attribution))


def _lines(report: Mapping[str, Any], attribution: Mapping[str, str]) -> Iterator[str]:
    threshold = report["threshold"]
    yield verdict(report)
    yield from ("", "## What it is", "")
    yield (
        f"A detector of malicious prompts (mode `{report['mode']}`): scores at or above "
        f"{threshold['value']:.4g} fire."
    )
    yield from ("", "## Guarantee", "")
    yield f"{threshold['guarantee']}; {threshold['rows']} prompts, {threshold['method']}."
    yield from ("", "## Figures", "")
    yield f"Measured on: {', '.join(report['measured_on']) or 'nothing'}."
    yield ""
    yield from _table(report["modes"][report["mode"]])
    yield from ("", "## Data", "")
    yield from (f"- {name}: {rows}" for name, rows in report["rows"].items())
    if attribution:
        yield from ("", "Attribution:", "")
        yield from (f"- {source}: {words}" for source, words in attribution.items())
    yield from ("", "## Limits", "")
    yield from (f"- {limit}" for limit in LIMITS)


def _table(figures: Mapping[str, JsonValue]) -> Iterator[str]:
    yield "| figure | value | 95 % interval | rows |"
    yield "|---|---|---|---|"
    for name, value in figures.items():
        if isinstance(value, dict) and isinstance(value.get("rate"), float):
            interval = f"{value['low']:.4f} to {value['high']:.4f}"
            yield f"| {name} | {value['rate']:.4f} | {interval} | {value['rows']} |"
        elif isinstance(value, int | float):
            yield f"| {name} | {value:.4f} | | |"
