"""`ecoguard-train score`: what a detector gives each prompt of a file."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from classifiers.commands.options import StoreKey, StorePassword

if TYPE_CHECKING:
    from classifiers.evaluation.scored_prompts import Scored

app = typer.Typer()

SHOWN = 80
"""Characters of a window that are shown."""


@app.command()
def score(
    artifact: Annotated[Path, typer.Argument(help="The detector's artifact.")],
    prompts: Annotated[
        list[str], typer.Argument(help="Prompts, labelled or not: files, hf:NAME, store:URL.")
    ],
    encoder: Annotated[
        Path | None, typer.Option(help="Artifact of the encoder whose features it reads, if any.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object for each prompt.")
    ] = False,
    store_key_env: StoreKey = None,
    store_password_env: StorePassword = None,
) -> None:
    """Print each prompt's score as it would be served, whether that fires, and for what."""
    from classifiers.evaluation.scored_prompts import score_prompts, tally
    from classifiers.prompts.sources import read_labelled
    from guard.detectors.kinds import load_detector
    from guard.encoders.kinds import load_encoder
    from guard.settings import EncoderSource

    shared = load_encoder(EncoderSource(path=encoder)) if encoder else None
    detector = load_detector(artifact, shared)
    rows = [
        prompt
        for source in prompts
        for prompt in read_labelled(
            source, encryption_key_env=store_key_env, password_env=store_password_env
        )
    ]
    told = []
    for number, scored in enumerate(score_prompts(detector, shared, rows), start=1):
        typer.echo(orjson.dumps(described(number, scored)) if as_json else line(number, scored))
        told.append(scored)
    for label, (fired, of) in sorted(tally(told).items()):
        typer.echo(f"{label}: {fired} of {of} reach {detector.threshold:.4f}", err=True)


def line(number: int, scored: "Scored") -> str:
    """For people: the prompt's place in the file, its score, and where that comes from."""
    sign = "fires " if scored.fires else "passes"
    window = scored.window.text if scored.window else ""
    shown = window if len(window) <= SHOWN else f"{window[:SHOWN]}…"
    return f"{number:6}  {scored.score:.4f}  {sign}  {orjson.dumps(shown).decode()}"


def described(number: int, scored: "Scored") -> dict[str, Any]:
    """For programs."""
    prompt, window = scored.prompt, scored.window
    return {
        "row": number,
        "score": scored.score,
        "fires": scored.fires,
        "p_benign": scored.p_benign,
        "label": prompt.label,
        "source": prompt.source,
        "kind": prompt.kind,
        "window": window and {"text": window.text, "score": window.score},
    }
