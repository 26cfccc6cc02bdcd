"""`ecoguard-train forget`: trains the classifier of one forget request."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import EncoderFolder, OutFolder, Rate, show
from classifiers.forget import ForgetRecipe, train_forget
from classifiers.forget_request import read_forget_prompts, read_request, read_retain_prompts
from guard.encoders.onnx_encoder import OnnxEncoder

app = typer.Typer()

DEFAULTS = ForgetRecipe()


@app.command()
def forget(
    request: Annotated[Path, typer.Argument(help="Folder with request.yaml and forget.jsonl.")],
    encoder: EncoderFolder,
    out: OutFolder,
    retain: Annotated[
        list[Path] | None, typer.Option(help="More retain prompts (.jsonl, .csv, .txt).")
    ] = None,
    fpr: Rate = DEFAULTS.fpr,
    fnr: Rate = DEFAULTS.fnr,
    confidence: Annotated[float, typer.Option(min=0.5, max=0.9999)] = DEFAULTS.confidence,
    seed: Annotated[int, typer.Option(min=0)] = DEFAULTS.seed,
    cache: Annotated[Path | None, typer.Option(help="Folder to keep features in.")] = None,
) -> None:
    """Train the classifier of one forget request."""
    described = read_request(request)
    prompts = read_forget_prompts(request)
    retained = read_retain_prompts(request, tuple(retain or ()))
    artifact = train_forget(
        described.name,
        prompts,
        retained,
        OnnxEncoder.load(encoder),
        out,
        names=described.evidence,
        recipe=ForgetRecipe(fpr=fpr, fnr=fnr, confidence=confidence, seed=seed),
        cache=cache,
        progress=True,
    )
    show(artifact)
