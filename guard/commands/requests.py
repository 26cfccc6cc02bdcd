"""Commands `ecoguard requests …`: which forget requests a running proxy serves.

They change the folder only; every proxy that watches it follows within seconds.
"""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from guard.artifacts.folder import Artifact, install, read
from guard.artifacts.manifest import MANIFEST
from guard.commands.options import CONFIG, ConfigFile
from guard.terms.errors import ArtifactError, ConfigError

if TYPE_CHECKING:
    from guard.settings import ForgetRequestsDetector, Settings

requests_app = typer.Typer(
    help="Forget requests in service.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DetectorName = Annotated[
    str | None,
    typer.Option("--detector", help="Which folder, where the configuration has several."),
]


@requests_app.command("list")
def list_requests(config: ConfigFile = CONFIG, detector: DetectorName = None) -> None:
    """List the folder's requests: folder, name, artifact's digest, threshold, date."""
    from guard.detectors.forget.detector import KIND

    _, source = _source(config, detector)
    broken = False
    for folder in _folders(source.path):
        try:
            manifest = read(folder, KIND).manifest
        except ArtifactError as error:
            broken = True
            typer.echo(f"{folder.name}\tbroken: {error}", err=True)
            continue
        facts = (
            *(folder.name, manifest.name, manifest.digest[:12]),
            *(f"{manifest.thresholds.get('score', 0):.4f}", f"{manifest.created:%Y-%m-%d}"),
        )
        typer.echo("\t".join(facts))
    if broken:
        raise typer.Exit(1)


@requests_app.command()
def add(
    folder: Annotated[Path, typer.Argument(help="The artifact of one forget request.")],
    name: Annotated[
        str | None, typer.Option("--name", help="The folder's name among the requests.")
    ] = None,
    config: ConfigFile = CONFIG,
    detector: DetectorName = None,
) -> None:
    """Put a request in service, or a newer artifact in the place of an older one."""
    from guard.detectors.forget.detector import KIND, ForgetClassifier

    settings, source = _source(config, detector)
    artifact = read(folder, KIND)
    ForgetClassifier.from_artifact(artifact)
    _check_encoder(artifact, settings)
    place = _place(source.path, name or folder.resolve().name)
    verb = "replaced" if place.exists() else "added"
    install(artifact, place)
    typer.echo(f"{place.name}: {verb}, in service within {source.reload_s:g} s")


@requests_app.command()
def withdraw(
    name: Annotated[str, typer.Argument(help="The request's folder, as `list` shows it.")],
    config: ConfigFile = CONFIG,
    detector: DetectorName = None,
) -> None:
    """Take a request out of service; its artifact is deleted."""
    _, source = _source(config, detector)
    place = _place(source.path, name)
    if not (place / MANIFEST).is_file():
        raise ConfigError(f"{source.path}: no request '{name}'")
    # Out of sight in one step; deleting file by file would leave a broken artifact for a moment.
    aside = Path(tempfile.mkdtemp(prefix=f".{place.name}.withdrawn.", dir=source.path))
    place.rename(aside / "artifact")
    shutil.rmtree(aside, ignore_errors=True)
    typer.echo(f"{name}: withdrawn, out of service within {2 * source.reload_s:g} s")


def _source(config: Path, name: str | None) -> "tuple[Settings, ForgetRequestsDetector]":
    from guard.settings import load

    settings = load(config)
    sources = {
        known: source
        for known, source in settings.detectors.items()
        if source.kind == "forget-requests" and name in (None, known)
    }
    if not sources:
        wanted = "of kind forget-requests" if name is None else f"'{name}' of kind forget-requests"
        raise ConfigError(f"{config}: detectors: none {wanted}")
    if len(sources) > 1:
        raise ConfigError(f"--detector: choose one of {', '.join(sorted(sources))}")
    return settings, next(iter(sources.values()))


def _folders(root: Path) -> list[Path]:
    try:
        return sorted(f for f in root.iterdir() if f.is_dir() and f.name[0] != ".")
    except OSError as error:
        raise ConfigError(f"{root}: {error.strerror}") from error


def _place(root: Path, name: str) -> Path:
    """The folder of that name directly in `root`; ConfigError for a name that is none."""
    if not name or name[0] == "." or "/" in name or "\\" in name:
        raise ConfigError(f"'{name}' is no name of a request's folder")
    return root / name


def _check_encoder(artifact: Artifact, settings: "Settings") -> None:
    if settings.encoder is None:
        raise ConfigError("encoder: forget requests need one in the configuration")
    serving = read(settings.encoder.path).manifest.digest
    if artifact.manifest.encoder != serving:
        trained = str(artifact.manifest.encoder)[:12]
        raise artifact.fail(
            "encoder", f"trained on encoder {trained}, in service is {serving[:12]}"
        )
