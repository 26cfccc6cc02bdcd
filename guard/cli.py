"""Command `ecoguard`: serve, check, demo, schema, artifacts, requests, store."""

import importlib.util
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guard import __version__
from guard.artifact_commands import artifacts_app
from guard.errors import GuardError
from guard.request_commands import requests_app
from guard.store_commands import store_app

if TYPE_CHECKING:
    from guard.settings import Settings

logger = logging.getLogger(__name__)

app = typer.Typer(
    help="EcoGuard: an OpenAI-compatible safeguard in front of vLLM.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.add_typer(artifacts_app, name="artifacts")
app.add_typer(store_app, name="store")
app.add_typer(requests_app, name="requests")

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", help="The YAML configuration.", dir_okay=False)
]


@app.command()
def serve(
    config: ConfigFile = Path("guard.yaml"),
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes on the port.")] = 1,
) -> None:
    """Run the proxy."""
    import uvicorn

    from guard.app import create_app
    from guard.operations.logs import configure
    from guard.settings import load
    from guard.sizing import remarks, settle
    from guard.workers import serve_workers

    settings = load(config)
    configure(settings.logs)
    for remark in remarks(settings, workers):
        logger.warning("%s", remark)
    if workers > 1:
        serve_workers(config, workers, _server_options(settings))
        return
    application = create_app(settings, source=config)
    settle()
    uvicorn.run(application, **_server_options(settings))


def _server_options(settings: "Settings") -> dict[str, Any]:
    from guard.certificates import server_contexts
    from guard.http_connection import HttpConnection

    return {
        "host": settings.listen.host,
        "port": settings.listen.port,
        "timeout_graceful_shutdown": int(settings.listen.drain_s),
        "access_log": False,  # `guard.access` has the request's id and outcome, and no query
        "log_config": None,
        "server_header": False,
        "proxy_headers": False,
        "http": HttpConnection,
        "ws": "none",
        "ssl_context_factory": server_contexts(settings.listen.tls),
    }


@app.command()
def check(config: ConfigFile = Path("guard.yaml")) -> None:
    """Load the configuration and every artifact it names, and say what is wrong."""
    from guard.certificates import server_contexts
    from guard.limits.shared import SharedLimits
    from guard.operations.journal import make_store
    from guard.parts import load_parts
    from guard.settings import load
    from guard.sizing import remarks

    settings = load(config)
    parts = load_parts(settings)
    if contexts := server_contexts(settings.listen.tls):
        contexts()
    if settings.redis:
        SharedLimits(settings.redis)
    typer.echo(f"{config}: ok, {len(parts.policies)} policies")
    for remark in remarks(settings, workers=1):
        typer.echo(f"  note: {remark}")
    for policy in parts.policies:
        typer.echo(
            f"  {policy.name}: {policy.detector_name} >= {policy.threshold:.4f} "
            f"-> {policy.action.label} (on error: {policy.on_error.label})"
            + (" in shadow" if policy.shadow else "")
        )
    if settings.store:
        store = make_store(settings.store)
        typer.echo(f"  store: {store.url}")
        store.close()


@app.command(context_settings={"ignore_unknown_options": True})
def demo(
    arguments: Annotated[list[str] | None, typer.Argument(help="Options of the demo.")] = None,
) -> None:
    """Show a model forgetting people: trains a tiny model, starts vLLM and the proxy."""
    if importlib.util.find_spec("classifiers") is None:
        raise GuardError("the demo trains models: install ecoguard[train]")
    command = [sys.executable, "-m", "classifiers.demo", *(arguments or [])]
    os.execv(sys.executable, command)  # noqa: S606 - no shell, our own module


@app.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    from guard.settings import schema_text

    typer.echo(schema_text(), nl=False)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Entry point: our own errors end with one line on stderr and status 2."""
    try:
        app()
    except GuardError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
