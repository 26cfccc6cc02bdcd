"""`ecoguard-train evaluate`: measures detectors; nothing here trains what is served."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import Fpr, OutFolder
from classifiers.encoder.features import FeatureCache
from classifiers.evaluation.detection import (
    DetectionSettings,
    evaluate_artifact,
    evaluate_modes,
    read_sets,
    settings_json,
)
from classifiers.evaluation.detection_report import HTML, write_report
from classifiers.evaluation.feature_modes import MODES, Fit
from classifiers.evaluation.prompt_families import PromptFamilies
from classifiers.evaluation.served_detector import ServedDetector
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.terms.errors import ConfigError

app = typer.Typer(help="Measure detectors.", no_args_is_help=True)

DEFAULTS = DetectionSettings()


@app.callback()
def evaluate() -> None:
    """Measure detectors."""


Prior = Annotated[
    float,
    typer.Option(min=1e-6, max=0.5, help="The share of malicious prompts that PR-AUC supposes."),
]
Generated = Annotated[int, typer.Option(min=1, help="Generated pairs of each form.")]
TrainedTwins = Annotated[int, typer.Option(min=0, help="Generated pairs to learn from.")]
DrillRows = Annotated[int, typer.Option(min=1, help="Prompts of each label for the drills.")]


@app.command()
def detection(
    prompts: Annotated[
        list[Path], typer.Argument(help="Labelled prompt sets: files, or folders of them.")
    ],
    out: OutFolder,
    artifact: Annotated[
        Path | None, typer.Option(help="A detector's artifact, measured as it is served.")
    ] = None,
    encoder: Annotated[
        Path | None, typer.Option("--encoder", help="Artifact of the shared encoder.")
    ] = None,
    mode: Annotated[
        list[str] | None,
        typer.Option(help=f"Leave one source out with these: {', '.join(MODES)}."),
    ] = None,
    families: Annotated[
        Path | None, typer.Option(help="YAML with attack families and hard benign sets.")
    ] = None,
    fpr: Fpr = DEFAULTS.fpr,
    prior: Prior = DEFAULTS.prior,
    rows: Annotated[
        int, typer.Option(min=0, help="The most prompts per source and label; 0: all.")
    ] = DEFAULTS.rows,
    folds: Annotated[int, typer.Option(min=2, help="Inner folds over sources.")] = DEFAULTS.folds,
    generated: Generated = DEFAULTS.generated,
    trained_twins: TrainedTwins = DEFAULTS.trained_twins,
    drill_rows: DrillRows = DEFAULTS.drill_rows,
    seed: Annotated[int, typer.Option(min=0, help="Decides which rows are drawn.")] = DEFAULTS.seed,
    cache: Annotated[Path | None, typer.Option(help="Folder to keep features in.")] = None,
) -> None:
    """Measure a malicious-prompt detector, and modes of learning one, on labelled prompts."""
    settings = DetectionSettings(
        fpr, prior, rows, folds, generated, trained_twins, drill_rows, seed
    )
    chosen = _modes(mode or [])
    if artifact is None and not chosen:
        raise ConfigError("nothing to evaluate: give --artifact or --mode")
    named = PromptFamilies.read(families)
    if chosen and encoder is None:
        raise ConfigError("--mode needs --encoder")
    sets = read_sets(prompts, settings)
    served = None
    if artifact is not None:
        detector = ServedDetector.load(artifact, encoder, cache)
        served = evaluate_artifact(detector, sets, named, settings)
    learned = {}
    if chosen and encoder is not None:
        store = FeatureCache(cache) if cache else None
        results = evaluate_modes(sets, OnnxEncoder.load(encoder), chosen, named, settings, store)
        learned = {name: (result.figures, result.scored) for name, result in results.items()}
    write_report(out, settings_json(settings), served, learned)
    typer.echo(str(out / HTML))


def _modes(names: list[str]) -> dict[str, Fit]:
    unknown = [name for name in names if name not in MODES]
    if unknown:
        raise ConfigError(f"--mode {unknown[0]}: expected one of {', '.join(MODES)}")
    return {name: MODES[name] for name in names}
