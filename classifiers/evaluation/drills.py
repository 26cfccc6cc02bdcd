"""Drills on a scoring function: disguised prompts, padded prompts, and generated prompts.

A drill measures what changes: recall lost and false positives gained against the same prompts as
they are. Prompts are given by the caller; what is put around them is ours and harmless.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import numpy as np
from pydantic import JsonValue

from classifiers.evaluation.obfuscation import FAMILIES
from classifiers.malicious.data.attack_prompts import documents, extract, inject, own_requests, wrap
from classifiers.malicious.data.templates import Half
from classifiers.malicious.data.twins import twins
from classifiers.prompts.labelled import LabelledPrompt
from classifiers.statistics import detection_metrics as metrics
from guard.terms.detector import Scores

PADDING = (
    "The town library opens at nine and closes at six, on Saturdays at one. "
    "In spring the square is full of stalls with bread, flowers and honey. "
    "A bus leaves for the lake every half hour; the ride takes twenty minutes. "
    "The museum shows maps from three centuries and a model of the old harbour. "
    "After the concert the chairs were stacked and the lights went out one by one. "
)
PADDING_SIZES = (200, 1_000, 4_000)
"""Characters of harmless text on one side."""
LONGEST_DISGUISED = 2_000
"""Characters of a prompt that is disguised; more would measure the limits on views."""


class ScoreTexts(Protocol):
    """Scores whole prompts, shape (n,), with or without the views of serving."""

    def __call__(
        self, texts: Sequence[str], *, views: bool = True, label: str | None = None
    ) -> Scores:
        """See `ServedDetector.score`."""
        ...


def obfuscation_drill(
    score: ScoreTexts, malicious: Sequence[str], benign: Sequence[str], threshold: float
) -> list[JsonValue]:
    """For each disguise, recall and false-positive rate with views on and off.

    The first row, `plain`, has the prompts as they are; `recall_lost` and `fpr_gained` are in
    comparison with it, views on.
    """
    bad = [text[:LONGEST_DISGUISED] for text in malicious]
    good = [text[:LONGEST_DISGUISED] for text in benign]
    plain = _drilled(score, bad, good, threshold, "plain")
    found: list[JsonValue] = [{"family": "", "disguise": "plain", **plain}]
    for family, disguises in FAMILIES.items():
        for name, disguise in disguises.items():
            rates = _drilled(
                score, list(map(disguise, bad)), list(map(disguise, good)), threshold, name
            )
            changes: dict[str, JsonValue] = {
                "recall_lost": plain["recall"] - rates["recall"],
                "fpr_gained": rates["fpr"] - plain["fpr"],
            }
            found.append({"family": family, "disguise": name, **rates, **changes})
    return found


def obfuscation_families(drill: Sequence[JsonValue]) -> list[JsonValue]:
    """The means over each family's disguises, and the worst single loss of recall."""
    rows = [row for row in drill if isinstance(row, dict)]
    columns = ("recall", "recall_without_views", "fpr", "fpr_without_views")
    found: list[JsonValue] = []
    for family in FAMILIES:
        own = [row for row in rows if row["family"] == family]
        worst = max(own, key=lambda row: _number(row["recall_lost"]))
        means = {c: float(np.mean([_number(row[c]) for row in own])) for c in columns}
        found.append(
            {
                "family": family,
                **means,
                "recall_lost": float(np.mean([_number(row["recall_lost"]) for row in own])),
                "fpr_gained": float(np.mean([_number(row["fpr_gained"]) for row in own])),
                "worst_disguise": worst["disguise"],
                "worst_recall_lost": worst["recall_lost"],
            }
        )
    return found


def padding_drill(
    score: ScoreTexts, malicious: Sequence[str], benign: Sequence[str], threshold: float
) -> list[JsonValue]:
    """How many verdicts flip when harmless text is put before, after or around a prompt."""
    before = [score(texts, label="padding: none") for texts in (malicious, benign)]
    found: list[JsonValue] = []
    for size in PADDING_SIZES:
        pad = padding(size)
        for place, form in _PLACES.items():
            padded = [[form(text, pad) for text in texts] for texts in (malicious, benign)]
            after = [score(texts, label=f"padding: {place} {size}") for texts in padded]
            flips = [metrics.flip_rate(a, b, threshold) for a, b in zip(before, after, strict=True)]
            missed = np.mean((before[0] >= threshold) & (after[0] < threshold)) if malicious else 0
            found.append(
                {
                    "place": place,
                    "characters": size,
                    "flips_malicious": flips[0],
                    "newly_missed": float(missed),
                    "flips_benign": flips[1],
                }
            )
    return found


def padding(characters: int) -> str:
    """So many characters of harmless text, less white space at the ends."""
    return (PADDING * (characters // len(PADDING) + 1))[:characters].strip()


def generated_prompts(half: Half, pairs: int, seed: int) -> list[LabelledPrompt]:
    """Twins, wrapped requests, injections and extraction requests, about `pairs` of each."""
    harmful, harmless = own_requests(half, pairs, seed)
    return [
        *twins(half, pairs, seed),
        *wrap(harmful, harmless, half, pairs, seed),
        *inject(documents(half, max(1, pairs // 2), seed), half, seed),
        *extract(half, max(1, pairs // 4), seed),
    ]


_PLACES: Mapping[str, Callable[[str, str], str]] = {
    "before": lambda text, pad: f"{pad}\n{text}",
    "after": lambda text, pad: f"{text}\n{pad}",
    "around": lambda text, pad: f"{pad}\n{text}\n{pad}",
}


def _drilled(
    score: ScoreTexts, bad: Sequence[str], good: Sequence[str], threshold: float, name: str
) -> dict[str, float]:
    """Recall and false-positive rate, views on and off."""
    rates = {}
    for column, texts in (("recall", bad), ("fpr", good)):
        for ending, views in (("", True), ("_without_views", False)):
            scores = score(texts, views=views, label=f"disguise: {name}")
            rates[column + ending] = float((scores >= threshold).mean()) if len(texts) else 0.0
    return rates


def _number(value: JsonValue) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
