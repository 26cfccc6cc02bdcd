"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The YAML configuration.", dir_okay=False)
]
CONFIG = Path("guard.yaml")
