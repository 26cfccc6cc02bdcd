"""`ecoguard-train malicious`: trains a detector of malicious prompts from a deployment's own."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from classifiers.commands.options import (
    Engine,
    OutFolder,
    RayAddress,
    StoreKey,
    StorePassword,
    show,
)
from classifiers.encoder.ray_encoder import RayEncoder
from classifiers.malicious.data.training_set import Block
from classifiers.malicious.recipe import MaliciousRecipe, TrainingMode, read_recipe
from classifiers.runs.ray_session import LOCAL
from guard.terms.detector import Encoder

app = typer.Typer()

SOURCE = "A .jsonl, .csv, .parquet or .txt file, hf:NAME:SPLIT or store:URL."
Sources = list[str] | None

Recipe = Annotated[Path | None, typer.Option(help="A recipe (YAML); options override it.")]
Unlabelled = Annotated[Sources, typer.Option(help=f"Traffic. {SOURCE}")]
FromStore = Annotated[
    str | None, typer.Option(help="Traffic store: short for --unlabelled store:URL.")
]
TrustedBenign = Annotated[
    Sources, typer.Option(help="Prompts known to be benign; they set the threshold.")
]
Seeds = Annotated[Sources, typer.Option(help="A few known attacks.")]
Validation = Annotated[
    Sources, typer.Option(help="Labelled prompts: some choose, the others measure.")
]
Labelled = Annotated[
    Sources, typer.Option(help="Labelled prompts that mode supervised learns from.")
]
Mode = Annotated[TrainingMode | None, typer.Option(help="How to learn.")]
Compare = Annotated[
    bool | None, typer.Option("--compare", help="Report all modes; the chosen one is written.")
]
SharedEncoder = Annotated[Path | None, typer.Option(help="Artifact of the shared encoder.")]
EncoderUrl = Annotated[
    str | None, typer.Option(help="Root of the server that a pooling encoder asks.")
]
KeyVariable = Annotated[
    str | None, typer.Option(help="The environment variable with that server's API key.")
]
Fpr = Annotated[
    float | None, typer.Option(min=0.00001, max=0.5, help="False-positive rate allowed.")
]
Runs = Annotated[int | None, typer.Option(min=1, help="Runs of the greedy soup.")]
Shards = Annotated[
    int | None, typer.Option(min=1, help="Members that vote, each of its own clients; odd.")
]
Quota = Annotated[
    float | None, typer.Option(help="One client's largest share of unlabelled prompts.")
]
Cache = Annotated[Path | None, typer.Option(help="Folder to keep features and fitted modes in.")]
InService = Annotated[
    Path | None, typer.Option(help="Artifact in service: the new one must be no worse.")
]


EngineOption = Annotated[Engine, typer.Option(help="Encode here, or on Ray's workers.")]


@app.command()
def malicious(
    out: OutFolder,
    config: Recipe = None,
    unlabelled: Unlabelled = None,
    from_store: FromStore = None,
    store_key_env: StoreKey = None,
    store_password_env: StorePassword = None,
    trusted_benign: TrustedBenign = None,
    malicious_seeds: Seeds = None,
    validation: Validation = None,
    labelled: Labelled = None,
    mode: Mode = None,
    compare: Compare = None,
    encoder: SharedEncoder = None,
    encoder_url: EncoderUrl = None,
    encoder_key_env: KeyVariable = None,
    fpr: Fpr = None,
    confidence: Annotated[float | None, typer.Option(min=0.5, max=0.9999)] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    runs: Runs = None,
    shards: Shards = None,
    quota: Quota = None,
    cache: Cache = None,
    in_service: InService = None,
    engine: EngineOption = Engine.PROCESS,
    ray_address: RayAddress = LOCAL,
) -> None:
    """Train a detector of malicious prompts."""
    options = locals()  # nothing but the options, yet
    given = {name: options[name] for name in MaliciousRecipe.model_fields if name in options}
    if from_store:
        given["unlabelled"] = [*(unlabelled or ()), f"store:{from_store}"]
    on_ray = ray_address if engine is Engine.RAY else None
    train(read_recipe(config).updated(given), out, ray_address=on_ray)


def train(recipe: MaliciousRecipe, out: Path, *, ray_address: str | None = None) -> None:
    """Train by a recipe and show the artifact; a refusal of the gate ends with exit status 1.

    What the gate found is then in a file beside `out`, which is left as it was.
    """
    from classifiers.malicious.feature_source import blocks_of, open_encoder
    from classifiers.malicious.gate.promotion import PromotionRefusedError
    from classifiers.malicious.training import train_malicious

    encoder: Encoder | None = None
    blocks: tuple[Block, ...] = ()
    try:
        with ExitStack() as stack:
            if recipe.encoder is not None and ray_address is not None:
                encoder = stack.enter_context(RayEncoder.at(recipe.encoder, ray_address))
            elif recipe.encoder is not None:
                encoder = open_encoder(recipe.encoder, recipe.encoder_url, recipe.encoder_key_env)
            if recipe.encoder is not None and encoder is not None:
                blocks = blocks_of(recipe.encoder, encoder.width)
            show(train_malicious(recipe, encoder, out, blocks=blocks, progress=True))
    except PromotionRefusedError as refusal:
        report = out.with_name(f"{out.name}.refused.json")
        report.write_bytes(orjson.dumps(refusal.result.report(), option=orjson.OPT_INDENT_2))
        console = Console(stderr=True, highlight=False, markup=False, soft_wrap=True)
        for sentence in refusal.result.refusals:
            console.print(f"refused: {sentence}")
        console.print(f"{out} is unchanged; all checks: {report}")
        raise typer.Exit(1) from None
