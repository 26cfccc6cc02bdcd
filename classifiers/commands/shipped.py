"""`ecoguard-train shipped`: builds the detector that the project ships."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import Precision, show
from guard.detectors.malicious.text import MOST_MARGIN
from guard.terms.detector import WindowSize

app = typer.Typer()


@app.command()
def shipped(
    out: Annotated[Path, typer.Argument(help="Folder to write the artifact to.")],
    precision: Annotated[
        Precision, typer.Option(help="int8 is smaller and faster, with a threshold of its own.")
    ] = Precision.FP32,
    window: Annotated[
        int | None,
        typer.Option(min=60, max=800, help="Characters of the windows it reads; default: 800."),
    ] = None,
    sentences: Annotated[
        bool, typer.Option(help="Whether it reads the sentences of a window, too.")
    ] = True,
    sentence_margin: Annotated[
        float | None,
        typer.Option(
            min=0, max=MOST_MARGIN, help="Log odds by which sentences count less; see the docs."
        ),
    ] = None,
    cascade: Annotated[
        bool, typer.Option(help="Whether a first stage says what the model need not read.")
    ] = True,
) -> None:
    """Build the detector of malicious prompts that the project ships; no training data needed.

    Its threshold and figures are those of windows of 800 characters and their sentences.
    """
    from classifiers.malicious.shipped.detector import build_shipped

    windows = () if window is None else (WindowSize(window, window // 3),)
    artifact = build_shipped(
        out,
        precision=precision.value,
        windows=windows,
        sentences=sentences,
        sentence_margin=sentence_margin,
        cascade=cascade,
    )
    show(artifact)
