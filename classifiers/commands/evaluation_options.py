"""Options that the evaluations of a guarded model share."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path, typer.Option("--config", help="The guard's configuration; its upstream is asked too.")
]
ReportFolder = Annotated[
    Path, typer.Option("--out", help="Folder for the report; a run goes on where it stopped.")
]
Proxy = Annotated[
    str | None, typer.Option(help="Root of the running proxy; without it one is started.")
]
ProxyKey = Annotated[str | None, typer.Option(help="Environment variable with the proxy's key.")]
Retain = Annotated[
    str | None, typer.Option(help="Root of the model that never learned what is forgotten.")
]
RetainKey = Annotated[
    str | None, typer.Option(help="Environment variable with the retain model's key.")
]
ModelName = Annotated[
    str | None, typer.Option(help="The model's name, where the configuration has several.")
]
Connections = Annotated[int, typer.Option(min=1, max=64, help="Requests at a time.")]
