"""`ecoguard-train malicious`: trains a detector of malicious prompts from a deployment's own."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from classifiers.commands.options import OutFolder, show
from classifiers.encoder.ray_encoder import RayEncoder
from classifiers.malicious.modes.table import MODES
from classifiers.malicious.recipe import MaliciousRecipe, read_recipe
from guard.terms.detector import Encoder

app = typer.Typer()

SOURCE = "A .jsonl, .csv, .parquet or .txt file, hf:NAME:SPLIT or store:URL."
Sources = list[str] | None

Recipe = Annotated[Path | None, typer.Option(help="A recipe (YAML); options override it.")]
Unlabelled = Annotated[Sources, typer.Option(help=f"Traffic. {SOURCE}")]
TrustedBenign = Annotated[
    Sources, typer.Option(help="Prompts known to be benign; they set the threshold.")
]
Seeds = Annotated[Sources, typer.Option(help="A few known attacks.")]
Validation = Annotated[
    Sources, typer.Option(help="Labelled prompts: some choose, the others measure.")
]
Labelled = Annotated[Sources, typer.Option(help="Labelled prompts to learn from.")]
ModeName = Annotated[str | None, typer.Option(help=f"How to learn: {', '.join(MODES)}.")]
Compare = Annotated[
    bool | None, typer.Option("--compare", help="Report the modes that read features beside it.")
]
SharedEncoder = Annotated[Path | None, typer.Option(help="Artifact of the shared encoder.")]
Fpr = Annotated[
    float | None, typer.Option(min=0.00001, max=0.5, help="False-positive rate allowed.")
]
InService = Annotated[
    Path | None, typer.Option(help="Artifact in service: the new one must be no worse.")
]


@app.command()
def malicious(
    out: OutFolder,
    config: Recipe = None,
    unlabelled: Unlabelled = None,
    trusted_benign: TrustedBenign = None,
    malicious_seeds: Seeds = None,
    validation: Validation = None,
    labelled: Labelled = None,
    mode: ModeName = None,
    compare: Compare = None,
    encoder: SharedEncoder = None,
    fpr: Fpr = None,
    in_service: InService = None,
) -> None:
    """Train a detector of malicious prompts; whatever else may be set stands in the recipe."""
    options = locals()  # nothing but the options, yet
    given = {name: options[name] for name in MaliciousRecipe.model_fields if name in options}
    train(read_recipe(config).updated(given), out)


def train(recipe: MaliciousRecipe, out: Path) -> None:
    """Train by a recipe and show the artifact; a refusal of the gate ends with exit status 1.

    What the gate found is then in a file beside `out`, which is left as it was.
    """
    from classifiers.malicious.gate.promotion import PromotionRefusedError
    from classifiers.malicious.training import train_malicious

    try:
        with ExitStack() as stack:
            show(train_malicious(recipe, _open_encoder(recipe, stack), out, progress=True))
    except PromotionRefusedError as refusal:
        report = out.with_name(f"{out.name}.refused.json")
        report.write_bytes(orjson.dumps(refusal.result.report(), option=orjson.OPT_INDENT_2))
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        for sentence in refusal.result.refusals:
            console.print(f"refused: {sentence}")
        console.print(f"{out} is unchanged; all checks: {report}")
        raise typer.Exit(1) from None


def _open_encoder(recipe: MaliciousRecipe, stack: ExitStack) -> Encoder | None:
    from classifiers.malicious.feature_source import open_encoder

    if recipe.encoder is None:
        return None
    if recipe.ray_address is not None:
        return stack.enter_context(RayEncoder.at(recipe.encoder, recipe.ray_address))
    return open_encoder(recipe.encoder, recipe.encoder_url, recipe.encoder_key_env)
