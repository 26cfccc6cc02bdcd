"""`ecoguard-train calibrate`: a detector's thresholds for requests of every length."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from classifiers.commands.options import OutFolder, StoreKey, StorePassword, show

if TYPE_CHECKING:
    from classifiers.prompts.conversations import Conversation
    from guard.artifacts.folder import Artifact

app = typer.Typer()


@app.command()
def calibrate(
    detector: Annotated[
        Path,
        typer.Argument(help="The detector's artifact; with --config a remote detector's name."),
    ],
    benign: Annotated[
        list[str],
        typer.Option(help="Harmless conversations: files with messages or texts, store:URL."),
    ],
    out: OutFolder,
    encoder: Annotated[
        Path | None, typer.Option(help="Artifact of the encoder whose features it reads, if any.")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(help="The configuration that has the remote detector, which is asked."),
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
    from classifiers.prompts.conversations import read_conversations
    from classifiers.statistics.thresholds import TooFewRowsError
    from guard.terms.errors import ConfigError

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
    try:
        if config:
            show(_calibrate_remote(str(detector), config, requests, fpr, out))
        else:
            show(_calibrate_artifact(detector, encoder, requests, fpr, out))
    except TooFewRowsError as error:
        raise ConfigError(f"--benign: {error}") from error


def _calibrate_artifact(
    folder: Path, encoder: Path | None, requests: list["Conversation"], fpr: float, out: Path
) -> "Artifact":
    from classifiers.evaluation.request_calibration import calibrate as set_thresholds
    from classifiers.evaluation.request_calibration import write_calibrated
    from guard.artifacts.folder import read
    from guard.detectors.kinds import load_detector
    from guard.encoders.kinds import load_encoder
    from guard.settings import EncoderSource

    shared = load_encoder(EncoderSource(path=encoder)) if encoder else None
    found = load_detector(folder, shared)
    calibrated = set_thresholds(found, shared, _tracked(requests), fpr)
    return write_calibrated(read(folder), calibrated, out)


def _calibrate_remote(
    name: str, config: Path, requests: list["Conversation"], fpr: float, out: Path
) -> "Artifact":
    import asyncio

    from classifiers.evaluation.remote_calibration import (
        ask_all,
        calibrate_remote,
        remote_detector,
        write_remote,
    )

    found = remote_detector(name, config)
    scores = asyncio.run(ask_all(found, _tracked(requests)))
    return write_remote(found, scores, calibrate_remote(found, scores, fpr), name, out)


def _tracked(requests: list["Conversation"]) -> Iterable["Conversation"]:
    from rich.console import Console
    from rich.progress import track

    return track(requests, "requests", console=Console(stderr=True))
