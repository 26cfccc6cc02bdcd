"""`ecoguard-train shipped`: builds the detector that the project ships."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import Precision, show

app = typer.Typer()


@app.command()
def shipped(
    out: Annotated[Path, typer.Argument(help="Folder to write the artifact to.")],
    precision: Annotated[Precision, typer.Option()] = Precision.FP32,
) -> None:
    """Build the detector of malicious prompts that the project ships; no training data needed."""
    from classifiers.malicious.shipped.detector import build_shipped

    show(build_shipped(out, precision=precision.value))
