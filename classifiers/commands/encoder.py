"""`ecoguard-train encoder`: exports the shared encoder."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import Precision, show
from classifiers.encoder.export import export_encoder

app = typer.Typer()


@app.command()
def encoder(
    out: Annotated[Path, typer.Argument(help="Folder to write the artifact to.")],
    source: Annotated[
        str | None,
        typer.Option(help="A Hugging Face encoder's folder or hub name; default: MiniLM-L6."),
    ] = None,
    precision: Annotated[
        Precision, typer.Option(help="int8 is smaller and faster, with other scores.")
    ] = Precision.FP32,
    max_tokens: Annotated[int, typer.Option(help="The longest input, in tokens.")] = 256,
    layer: Annotated[
        int | None, typer.Option(min=0, help="The hidden layer to read; default: the output.")
    ] = None,
) -> None:
    """Export the shared encoder to ONNX; done at once if OUT already holds it."""
    artifact = export_encoder(
        out, source=source, precision=precision.value, max_tokens=max_tokens, layer=layer
    )
    show(artifact)
