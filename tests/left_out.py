"""Tests that were skipped, counted by reason."""

from collections import Counter
from collections.abc import Iterable
from typing import Protocol


class Skipped(Protocol):
    """What pytest reports of a skipped test: file, line and reason in `longrepr`."""

    longrepr: object


def left_out(reports: Iterable[Skipped]) -> list[str]:
    """A line for each reason, the most frequent first: `tests left out: 24: no Redis server`."""
    reasons = Counter(_reason(report) for report in reports)
    return [f"tests left out: {count}: {reason}" for reason, count in reasons.most_common()]


def _reason(report: Skipped) -> str:
    told = report.longrepr
    text = str(told[2]) if isinstance(told, tuple) else str(told)
    return text.removeprefix("Skipped: ")
