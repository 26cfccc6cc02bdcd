"""`ecoguard-train calibrate`: a detector's thresholds for requests of every length."""

from pathlib import Path
from typing import Annotated

import typer

from classifiers.commands.options import OutFolder, StoreKey, StorePassword, show

app = typer.Typer()


@app.command()
def calibrate(
    artifact: Annotated[Path, typer.Argument(help="The detector's artifact.")],
    benign: Annotated[
        list[str],
        typer.Option(help="Harmless conversations: files with messages or texts, store:URL."),
    ],
    out: OutFolder,
    encoder: Annotated[
        Path | None, typer.Option(help="Artifact of the encoder whose features it reads, if any.")
    ] = None,
    fpr: Annotated[
        float,
        typer.Option(min=0.0001, max=0.5, help="Share of harmless requests that may be blocked."),
    ] = 0.01,
    knows_answers: Annotated[
        bool,
        typer.Option(help="Take the assistant's turns for answers that the guard recognises."),
    ] = True,
    store_key_env: StoreKey = None,
    store_password_env: StorePassword = None,
) -> None:
    """Set thresholds that hold a rate for whole requests, however long, on harmless traffic."""
    from rich.console import Console
    from rich.progress import track

    from classifiers.evaluation.request_calibration import calibrate as set_thresholds
    from classifiers.evaluation.request_calibration import write_calibrated
    from classifiers.prompts.conversations import read_conversations
    from classifiers.statistics.thresholds import TooFewRowsError
    from guard.artifacts.folder import read
    from guard.detectors.kinds import load_detector
    from guard.encoders.kinds import load_encoder
    from guard.settings import EncoderSource
    from guard.terms.errors import ConfigError

    shared = load_encoder(EncoderSource(path=encoder)) if encoder else None
    detector = load_detector(artifact, shared)
    requests = [
        request
        for source in benign
        for request in read_conversations(
            source,
            knows_answers=knows_answers,
            encryption_key_env=store_key_env,
            password_env=store_password_env,
        )
    ]
    shown = track(requests, "requests", console=Console(stderr=True))
    try:
        calibrated = set_thresholds(detector, shared, shown, fpr)
    except TooFewRowsError as error:
        raise ConfigError(f"--benign: {error}") from error
    show(write_calibrated(read(artifact), calibrated, out))
