"""Heads on frozen encoder features, leave-one-source-out, as Markdown for docs/lab/detection.md.

    python -m lab.detection.frozen_features PROMPTS --encoder ENCODER --out OUT [--cache CACHE]

PROMPTS is a folder of labelled prompt sets. OUT gets report.json and report.html as
`ecoguard-train evaluate detection` writes them; the tables go to standard output.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from classifiers.encoder.features import FeatureCache
from classifiers.evaluation.detection import (
    DetectionSettings,
    evaluate_modes,
    read_sets,
    settings_json,
)
from classifiers.evaluation.detection_figures import rate_of
from classifiers.evaluation.detection_report import write_report
from classifiers.evaluation.feature_modes import MODES
from classifiers.evaluation.prompt_families import PromptFamilies
from guard.encoders.onnx_encoder import OnnxEncoder

POOLED = (
    *("auroc", "tpr_at_fpr_0.01", "tpr_at_fpr_0.001", "fpr95", "pr_auc", "length_matched_auroc"),
    *("recall", "fpr_ordinary", "fpr_hard"),
)
FAMILY = ("rows", "auroc_ordinary", "auroc_hard", "tpr_at_fpr_0.01_ordinary", "recall")


def main(
    prompts: Annotated[Path, typer.Argument(help="Folder of labelled prompt sets.")],
    encoder: Annotated[Path, typer.Option(help="Artifact of the shared encoder.")],
    out: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")],
    cache: Annotated[Path | None, typer.Option(help="Folder to keep features in.")] = None,
    rows: Annotated[int, typer.Option(help="The most prompts per source and label.")] = 600,
    trained_twins: Annotated[int, typer.Option(help="Generated pairs to train on.")] = 0,
) -> None:
    """Measure every mode and print its figures."""
    settings = DetectionSettings(rows=rows, trained_twins=trained_twins)
    results = evaluate_modes(
        read_sets([prompts], settings),
        OnnxEncoder.load(encoder),
        MODES,
        PromptFamilies.read(),
        settings,
        FeatureCache(cache) if cache else None,
    )
    found = {name: result.figures for name, result in results.items()}
    learned = {name: (result.figures, result.scored) for name, result in results.items()}
    write_report(out, settings_json(settings), None, learned)
    pooled = {name: _part(figures, "pooled") for name, figures in found.items()}
    _table("mode", POOLED, pooled)
    generated = {
        name: _part(_part(figures, "generated"), "pooled") for name, figures in found.items()
    }
    _table("mode, generated prompts", POOLED, generated)
    for name, figures in found.items():
        families: Any = figures["families"]
        _table(f"{name}: family", FAMILY, {row["family"]: row for row in families})


def _part(figures: Any, key: str) -> Mapping[str, Any]:
    part: Mapping[str, Any] = figures[key]
    return part


def _table(title: str, columns: Sequence[str], rows: Mapping[str, Mapping[str, Any]]) -> None:
    typer.echo(f"| {' | '.join((title, *columns))} |")
    typer.echo("|---" * (len(columns) + 1) + "|")
    for name, row in rows.items():
        cells = [_shown(row.get(column)) for column in columns]
        typer.echo(f"| {' | '.join((name, *cells))} |")
    typer.echo("")


def _shown(value: Any) -> str:
    number = rate_of(value)
    if number is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{number:.3f}"


if __name__ == "__main__":
    typer.run(main)
