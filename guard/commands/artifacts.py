"""Commands `ecoguard artifacts …`: which version of each detector is in service."""

from pathlib import Path
from typing import Annotated

import typer

from guard.artifacts.folder import read, read_digest
from guard.artifacts.versions import is_versioned, read_pointer, versions
from guard.commands.options import CONFIG, ConfigFile
from guard.gateway.promotion import Approval, Change, promote, roll_back
from guard.settings import Settings, load
from guard.terms.errors import ArtifactError

artifacts_app = typer.Typer(
    help="Versions of detectors: which there are, and which one is in service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Detector = Annotated[str, typer.Argument(help="The detector's name in the configuration.")]
Version = Annotated[
    str | None, typer.Argument(help="The version's folder; without it, the canary's.")
]


@artifacts_app.command(name="list")
def list_versions(config: ConfigFile = CONFIG) -> None:
    """List every detector's versions, and what each of them is doing."""
    settings = load(config)
    for name, detector in settings.detectors.items():
        if folder := detector.artifact_path:
            typer.echo(f"{name}: {folder}")
            for line in _lines(settings, name, folder):
                typer.echo(f"  {line}")


@artifacts_app.command(name="promote")
def promote_version(
    detector: Detector,
    version: Version = None,
    gate_report: Annotated[
        Path | None,
        typer.Option(help="The report of `ecoguard-train gate` on this version.", dir_okay=False),
    ] = None,
    without_gate: Annotated[
        str | None, typer.Option(help="Why there is none: goes on record.", metavar="REASON")
    ] = None,
    config: ConfigFile = CONFIG,
) -> None:
    """Put a version in service that passed the gate, after verifying it; `rollback` undoes it."""
    approval = Approval.read(gate_report, without_gate)
    _tell(detector, promote(load(config), detector, version, approval))


@artifacts_app.command()
def rollback(detector: Detector, config: ConfigFile = CONFIG) -> None:
    """Put the previous version back in service; once more undoes it."""
    _tell(detector, roll_back(load(config), detector))


def _lines(settings: Settings, name: str, path: Path) -> list[str]:
    canary = settings.canaries.get(name)
    if not is_versioned(path) and not versions(path):
        lines = [f"{_described(path)}, in service"]
        return lines + ([f"{_described(canary.path)}, canary"] if canary else [])
    pointer = read_pointer(path) if is_versioned(path) else None
    lines = []
    for version in versions(path):
        folder = path / version
        roles = [
            role
            for role, here in (
                ("in service", pointer and version == pointer.current),
                ("previous", pointer and version == pointer.previous),
                ("canary", canary and canary.path.resolve() == folder.resolve()),
            )
            if here
        ]
        lines.append(", ".join([f"{version}: {_described(folder)}", *roles]))
    return lines


def _described(folder: Path) -> str:
    """Kind, date and digest; or what is wrong, so that one broken version hides no other."""
    try:
        manifest = read(folder).manifest
    except ArtifactError as error:
        return f"broken ({error})"
    return f"{manifest.kind} of {manifest.created:%Y-%m-%d}, {read_digest(folder)[:12]}"


def _tell(detector: str, change: Change) -> None:
    if change.now == change.before:
        typer.echo(f"{detector}: {change.now.current} is in service already")
        return
    before = f", before it was {change.now.previous}" if change.now.previous else ""
    typer.echo(f"{detector}: {change.now.current} is in service{before}")
    typer.echo("a running proxy takes it on SIGHUP or POST /v1/guard/admin/reload")
