"""What a detector's figures say, in words: what it catches, at what cost, and what is not known."""

from collections.abc import Mapping
from typing import Any

PROMISES = {
    "neyman-pearson": "the rate of false alarms is bounded, with the confidence asked for",
    "conformal": "on average only: too few harmless prompts to promise more",
    "tail": "an estimate: too few harmless prompts to promise anything",
    "maximum": "no promise: far too few harmless prompts",
}
FEW_CAUGHT = 0.5


def verdict(report: Mapping[str, Any]) -> str:
    """A sentence, from the figures of `report.json`."""
    figures, threshold = report["modes"][report["mode"]], report["threshold"]
    recall, alarms = figures.get("recall"), figures.get("fpr")
    promise = PROMISES[threshold["method"]]
    if not (recall and alarms):
        return f"Not measured: nothing says what it catches. False alarms: {promise}."
    return (
        f"Catches {_hundred(recall['rate'])} of 100 such attacks ({_hundred(recall['low'])} to "
        f"{_hundred(recall['high'])}) at {100 * alarms['rate']:.2g} false alarms in 100; {promise}."
    )


def _hundred(rate: float) -> str:
    return f"{100 * rate:.0f}"


def next_steps(report: Mapping[str, Any]) -> list[str]:
    """What to do with such a detector."""
    figures, threshold = report["modes"][report["mode"]], report["threshold"]
    steps = []
    if not figures.get("recall"):
        steps.append("Give labelled prompts that nothing was learned from with --validation.")
    elif figures["recall"]["rate"] < FEW_CAUGHT:
        steps.append(
            "It misses more than half: see the sources below, worst first, and add seeds of those "
            "kinds (--malicious-seeds)."
        )
    if threshold["method"] != "neyman-pearson":
        steps.append(
            f"The threshold comes of {threshold['rows']} harmless prompts: review more of your "
            "traffic and give it with --trusted-benign."
        )
    steps.append("Compare it with the one in service: ecoguard-train gate. Then in shadow first.")
    return steps
