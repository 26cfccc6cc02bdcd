"""Command `ecoguard`: serve, check and try; what runs, and what is in service and stored."""

import logging
from typing import TYPE_CHECKING, Annotated, Any

import typer

from guard import __version__
from guard.commands.artifacts import artifacts_app
from guard.commands.audit import audit
from guard.commands.entry_point import run_app
from guard.commands.options import CONFIG, ConfigFile
from guard.commands.prompts import prompts_app
from guard.commands.requests import requests_app
from guard.commands.setup import init
from guard.commands.status import status
from guard.commands.store import store_app
from guard.commands.trial import try_text

if TYPE_CHECKING:
    from guard.gateway.loading import Resources
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
app.add_typer(prompts_app, name="prompts")
app.command()(init)
app.command("try")(try_text)
app.command()(status)
app.command()(audit)


@app.command()
def serve(
    config: ConfigFile = CONFIG,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes on the port.")] = 1,
) -> None:
    """Run the proxy."""
    import uvicorn

    from guard.gateway.remarks import remarks
    from guard.gateway.sizing import settle
    from guard.observability.logs import configure
    from guard.server.app import create_app
    from guard.server.workers import serve_workers
    from guard.settings import load, placing

    settings = load(config)
    configure(settings.logs)
    for remark in remarks(settings, workers):
        logger.warning("%s", remark)
    if workers > 1:
        with placing(config):
            serve_workers(config, workers, _server_options(settings))
        return
    with placing(config):
        application = create_app(settings, source=config)
    settle()
    uvicorn.run(application, **_server_options(settings))


def _server_options(settings: "Settings") -> dict[str, Any]:
    from functools import partial

    from guard.server.http_connection import KEEP_ALIVE_S, HeadLimits, HttpConnection
    from guard.upstream.certificates import server_contexts

    limits = settings.limits
    head_limits = HeadLimits(limits.header_bytes, limits.header_count, limits.header_s)
    return {
        "host": settings.listen.host,
        "port": settings.listen.port,
        "timeout_keep_alive": KEEP_ALIVE_S,
        "timeout_graceful_shutdown": int(settings.listen.drain_s),
        "access_log": False,  # `guard.access` has the request's id and outcome, and no query
        "log_config": None,
        "server_header": False,
        "proxy_headers": False,
        "http": partial(HttpConnection, head_limits=head_limits),
        "ws": "none",
        "ssl_context_factory": server_contexts(settings.listen.tls),
    }


@app.command()
def check(
    config: ConfigFile = CONFIG,
    online: Annotated[
        bool,
        typer.Option("--online", help="Ask the model servers, database, Redis and encoder too."),
    ] = False,
) -> None:
    """Load the configuration and every artifact it names, and say what is wrong."""
    from guard.gateway.loading import load_resources
    from guard.gateway.remarks import remarks
    from guard.limits.shared import SharedLimits
    from guard.observability.tracing import open_tracer
    from guard.settings import load, placing
    from guard.store.journal import make_store
    from guard.upstream.certificates import server_contexts

    settings = load(config)
    with placing(config):
        resources = load_resources(settings)
        if contexts := server_contexts(settings.listen.tls):
            contexts()
        if settings.redis:
            SharedLimits(settings.redis)
        store = make_store(settings.store) if settings.store else None
        if settings.tracing:
            open_tracer(settings.tracing).close()
    typer.echo(f"{config}: ok, {len(resources.policies)} policies")
    for remark in remarks(settings, workers=1):
        typer.echo(f"  note: {remark}")
    for policy in resources.policies:
        typer.echo(
            f"  {policy.name}: {policy.detector_name} >= {policy.threshold:.4f} "
            f"-> {policy.action.label} (on error: {policy.on_error.label})"
            + (" in shadow" if policy.shadow else "")
        )
    if store:
        typer.echo(f"  store: {store.url}")
        store.close()
    if online:
        _check_online(settings, resources)


def _check_online(settings: "Settings", resources: "Resources") -> None:
    """Print what each dependency answers; exit status 2 where one is wrong."""
    from guard.gateway.online_checks import run_checks

    if not run_checks(settings, resources, lambda outcome: typer.echo(f"  {outcome}")):
        raise typer.Exit(2)


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
    """Entry point."""
    run_app(app)
