"""`ecoguard-train pooling-encoder`: the guarded model, pooled by a vLLM server, as the encoder."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import show
from classifiers.encoder.pooling import export_pooling_encoder
from guard.settings import secret

app = typer.Typer()


class Pooling(StrEnum):
    """What the server pools; a choice made when it is started."""

    LAST = "last"
    MEAN = "mean"
    CLS = "cls"


@app.command()
def pooling_encoder(
    out: Annotated[Path, typer.Argument(help="Folder to write the artifact to.")],
    url: Annotated[str, typer.Option(help="The server's root, such as http://127.0.0.1:8001.")],
    model: Annotated[str, typer.Option(help="The name that the server serves the model under.")],
    tokenizer: Annotated[
        str | None,
        typer.Option(help="The model's folder or hub name; default: what the server says."),
    ] = None,
    pooling: Annotated[Pooling, typer.Option(help="How the server pools.")] = Pooling.LAST,
    max_tokens: Annotated[
        int | None, typer.Option(min=8, help="The longest input; default: at most 512.")
    ] = None,
    api_key_env: Annotated[
        str | None, typer.Option(help="The environment variable with the server's API key.")
    ] = None,
) -> None:
    """Describe a pooling server's model as the shared encoder; done at once if OUT has it."""
    artifact = export_pooling_encoder(
        out,
        url=url,
        model=model,
        tokenizer=tokenizer,
        pooling=pooling.value,
        max_tokens=max_tokens,
        api_key=secret(api_key_env) if api_key_env else None,
    )
    show(artifact)
