"""Options that several commands share, and how a command shows the artifact it wrote."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from guard.artifacts.folder import Artifact

EncoderFolder = Annotated[Path, typer.Option("--encoder", help="Artifact of the shared encoder.")]
OutFolder = Annotated[Path, typer.Option("--out", help="Folder to write the artifact to.")]
StoreKey = Annotated[
    str | None,
    typer.Option(help="The environment variable with the keys of the store's encrypted prompts."),
]
StorePassword = Annotated[
    str | None, typer.Option(help="The environment variable with the store's password.")
]
RayAddress = Annotated[str, typer.Option(help="local (its own Ray), auto, or a cluster's.")]
Fpr = Annotated[
    float, typer.Option(min=0.00001, max=0.5, help="The false-positive rate of thresholds.")
]


class Precision(StrEnum):
    """How an exported model computes."""

    FP32 = "fp32"
    INT8 = "int8"


class Engine(StrEnum):
    """Where work is done that several machines can share."""

    PROCESS = "process"
    RAY = "ray"


def show(artifact: Artifact) -> None:
    """Print an artifact's folder, digest, thresholds and metrics as a table."""
    from rich.console import Console
    from rich.table import Table

    manifest = artifact.manifest
    table = Table(title=f"{manifest.kind} {manifest.name}", title_justify="left", show_header=False)
    table.add_row("folder", str(artifact.folder))
    table.add_row("digest", manifest.digest[:16])
    for name, value in (manifest.thresholds | manifest.metrics).items():
        table.add_row(name, f"{value:.4g}")
    Console().print(table)
