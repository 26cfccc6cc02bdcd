"""`ecoguard-train verbatim`: an index of texts that must not be quoted at length."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import OutFolder, show

app = typer.Typer()


@app.command()
def verbatim(
    files: Annotated[
        list[Path], typer.Argument(help="Text files, UTF-8.", exists=True, dir_okay=False)
    ],
    out: OutFolder,
    exact: Annotated[
        list[Path] | None,
        typer.Option(
            help="A file of exact strings, one a line: canaries that no text may hold.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    name: Annotated[str, typer.Option(help="The artifact's name.")] = "verbatim",
) -> None:
    """Index texts, so that answers and prompts which quote them at length are found.

    The artifact holds hashes of neighbouring words, not the texts: four bytes a word.
    """
    from classifiers.verbatim.indexing import index

    show(index(out, name, files, exact or ()))
