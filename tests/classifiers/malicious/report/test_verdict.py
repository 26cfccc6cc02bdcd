"""What a detector's figures say, in words."""

from typing import Any

import pytest

from classifiers.malicious.report.verdict import next_steps, verdict


def report(method: str = "neyman-pearson", recall: float | None = 0.55) -> dict[str, Any]:
    """Figures of one mode."""
    share = {"low": 0.4, "high": 0.7, "rows": 100}
    figures = {} if recall is None else {"recall": {"rate": recall, **share}}
    if recall is not None:
        figures["fpr"] = {"rate": 0.02, **share}
    return {"mode": "m", "modes": {"m": figures}, "threshold": {"method": method, "rows": 90}}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            report("conformal"),
            "Catches 55 of 100 such attacks (40 to 70) at 2 false alarms in 100; on average only: "
            "too few harmless prompts to promise more.",
        ),
        (
            report("maximum", None),
            "Not measured: nothing says what it catches. False alarms: no promise: far too few "
            "harmless prompts.",
        ),
    ],
)
def test_verdicts(found: dict[str, Any], said: str) -> None:
    assert verdict(found) == said


@pytest.mark.parametrize(
    ("found", "first", "steps"),
    [
        (report(), "Compare it with the one in service", 1),
        (report("tail"), "The threshold comes of 90 harmless prompts", 2),
        (report(recall=0.3), "It misses more than half", 2),
        (report(recall=None), "Give labelled prompts", 2),
    ],
)
def test_next_steps(found: dict[str, Any], first: str, steps: int) -> None:
    told = next_steps(found)
    assert told[0].startswith(first)
    assert len(told) == steps
