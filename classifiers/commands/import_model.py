"""`ecoguard-train import`: somebody else's classifier as an artifact."""

from typing import Annotated

import typer

from classifiers.commands.options import OutFolder, Precision, show

app = typer.Typer()


@app.command(name="import")
def import_model(
    model: Annotated[
        str, typer.Argument(help="A Hugging Face sequence classifier: a folder or a hub name.")
    ],
    out: OutFolder,
    unsafe: Annotated[
        list[str] | None,
        typer.Option(help="A class that is bad; again for more. Without it they are listed."),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(min=0.0001, max=1, help="The score that fires, until it is calibrated."),
    ] = 0.5,
    precision: Annotated[
        Precision, typer.Option(help="int8 is smaller and faster, with other scores.")
    ] = Precision.FP32,
    max_tokens: Annotated[
        int, typer.Option(min=16, max=512, help="The longest input, in tokens.")
    ] = 512,
) -> None:
    """Make an artifact of a sequence classifier, which runs in the proxy without torch."""
    from classifiers.encoder.classifier_import import import_classifier

    artifact = import_classifier(
        out,
        model,
        unsafe or [],
        precision=precision.value,
        max_tokens=max_tokens,
        threshold=threshold,
    )
    show(artifact)
