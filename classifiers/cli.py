"""`ecoguard-train`: the offline commands. They only wire; bad input ends with exit status 2."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from classifiers.encoder_export import export_encoder
from classifiers.forget import ForgetRecipe, train_forget
from classifiers.forget_request import read_forget_prompts, read_request, read_retain_prompts
from guard.artifacts import Artifact
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.errors import GuardError

app = typer.Typer(
    name="ecoguard-train",
    help="Train EcoGuard's classifiers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DEFAULTS = ForgetRecipe()

EncoderFolder = Annotated[Path, typer.Option("--encoder", help="Artifact of the shared encoder.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to write the artifact to.")]
Rate = Annotated[float, typer.Option(min=0.00001, max=0.5)]


class Precision(StrEnum):
    """How an exported encoder computes."""

    FP32 = "fp32"
    INT8 = "int8"


@app.command()
def encoder(
    out: Annotated[Path, typer.Argument(help="Folder to write the artifact to.")],
    source: Annotated[
        Path | None, typer.Option(help="A Hugging Face encoder folder; default: MiniLM-L6.")
    ] = None,
    precision: Annotated[Precision, typer.Option()] = Precision.FP32,
    max_tokens: Annotated[int, typer.Option(help="The longest input, in tokens.")] = 256,
) -> None:
    """Export the shared encoder to ONNX; done at once if OUT already holds it."""
    artifact = export_encoder(out, source=source, precision=precision.value, max_tokens=max_tokens)
    _show(artifact)


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
    _show(artifact)


def _show(artifact: Artifact) -> None:
    manifest = artifact.manifest
    table = Table(title=f"{manifest.kind} {manifest.name}", title_justify="left", show_header=False)
    table.add_row("folder", str(artifact.folder))
    table.add_row("digest", manifest.digest[:16])
    for name, value in (manifest.thresholds | manifest.metrics).items():
        table.add_row(name, f"{value:.4g}")
    Console().print(table)


def main() -> None:
    """Entry point: an error that the operator can mend is one line on standard error."""
    try:
        app()
    except GuardError as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(str(error))
        raise SystemExit(2) from None
