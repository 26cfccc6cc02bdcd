"""`create_app`: wiring and lifespan, nothing else; importing it opens and reads nothing."""

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from guard import __version__
from guard.gateway.client import Client, Reply
from guard.gateway.exchange import Exchange
from guard.gateway.loading import Resources, load_resources
from guard.gateway.reload import Announce, Load, Reloader, read
from guard.gateway.service import Current, Service
from guard.limits.limiter import RATE_HEADERS, Limiter
from guard.observability.logs import log_loop_fault
from guard.observability.metrics import Metrics
from guard.observability.tracing import open_tracer
from guard.recognition.known import KnownTexts
from guard.screening.score_cache import ScoreCache
from guard.server.admin_routes import admin_router
from guard.server.check_routes import Check
from guard.server.closed_routes import ClosedRoutes, DirectRoutes, RequestIds, answer_http_error
from guard.server.endpoint import Answer, JsonEndpoint
from guard.server.guards.fms import FmsDetector
from guard.server.guards.litellm import LiteLlmGuardrail
from guard.server.guards.moderations import Moderations
from guard.server.reply_sender import CONTROL_TOKENS, DROPPED_FIELDS
from guard.server.service_routes import service_router
from guard.server.stored_response_routes import stored_responses_router
from guard.settings import Cors, Settings
from guard.store.journal import open_journal
from guard.terms.errors import GuardError
from guard.terms.json import JsonObject
from guard.wire.protocol import WireProtocol
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore

# FastAPI's own would write the messages of errors, which can quote a prompt, wherever the
# environment sends telemetry. Spans are `guard.observability.tracing`'s.
NO_TELEMETRY: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}


Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]


def create_app(
    settings: Settings,
    resources: Resources | None = None,
    *,
    source: Path | None = None,
    read: Load = read,
    announce: Announce = lambda: None,
) -> FastAPI:
    """The proxy as an ASGI application. Resources are loaded here, before the port is open.

    `source` is the file that the settings were read from: it is read again on SIGHUP, and when
    the admin API asks for it, by `read`; then `announce` tells the proxy's other processes.
    """
    loaded = resources or load_resources(settings)
    metrics = Metrics()
    metrics.in_service(__version__, loaded.artifacts)
    journal = open_journal(settings.store, metrics) if settings.store else None
    limiter = Limiter(settings.redis, metrics)
    known = KnownTexts.open(settings, metrics)
    tracer = open_tracer(settings.tracing) if settings.tracing else None

    @asynccontextmanager
    async def lifespan(app: DirectRoutes) -> AsyncIterator[None]:
        cache = ScoreCache(settings.limits.screening_cache_bytes, metrics, known.scores)
        current = Current(Service(settings, loaded, metrics, cache, known))
        lasting = cache, known
        reloader = Reloader(source, current, metrics, read, announce, *lasting) if source else None
        make = partial(
            JsonEndpoint,
            current=current,
            metrics=metrics,
            limiter=limiter,
            journal=journal,
            tracer=tracer,
        )
        _add_routes(app, settings, current, metrics, make)
        app.include_router(admin_router(current, reloader))
        limiter.start()
        if journal:
            journal.start()
        asyncio.get_running_loop().set_exception_handler(log_loop_fault)
        with _reload_on_hangup(reloader):
            yield
        await current.close()
        await known.close()
        await limiter.close()
        if journal:
            await asyncio.to_thread(journal.stop)
        if tracer:
            await asyncio.to_thread(tracer.close)

    app = _closed_app(lifespan)
    app.add_exception_handler(404, answer_http_error)
    app.add_exception_handler(405, answer_http_error)
    _add_middleware(app, settings.cors)
    return app


def _closed_app(lifespan: Lifespan) -> DirectRoutes:
    """Without the framework's own pages, redirects and telemetry."""
    return DirectRoutes(
        title="EcoGuard",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )


def _add_routes(
    app: DirectRoutes,
    settings: Settings,
    current: Current,
    metrics: Metrics,
    make: Callable[..., JsonEndpoint],
) -> None:
    responses = ResponseStore()
    protocols = make_protocols(responses)
    endpoints = {
        route: make(protocol, answering(protocol)) for route, protocol in protocols.items()
    }
    for route, endpoint in endpoints.items():
        app.router.routes.append(Route(route, endpoint, methods=["POST"]))
    if not settings.cors.allow_origins:  # its headers are a middleware's
        app.direct = endpoints
    if settings.check.enabled:
        for guard in (Check(protocols), Moderations(), LiteLlmGuardrail(), FmsDetector()):
            endpoint = make(guard, guard.answer, key_scope="check")
            app.router.routes.append(Route(guard.route, endpoint, methods=["POST"]))
    app.include_router(service_router(current, metrics))
    app.include_router(stored_responses_router(responses, current))


def answering(protocol: WireProtocol) -> Answer:
    """What answers a request of `protocol` with the exchange in service."""

    def answer(
        exchange: Exchange, body: JsonObject, client: Client
    ) -> AbstractAsyncContextManager[Reply]:
        return exchange.answer(protocol, body, client)

    return answer


def _add_middleware(app: FastAPI, cors: Cors) -> None:
    if cors.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=cors.allow_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=[
                "x-request-id",
                "retry-after",
                DROPPED_FIELDS,
                CONTROL_TOKENS,
                *RATE_HEADERS,
            ],
        )
    app.add_middleware(ClosedRoutes)
    app.add_middleware(RequestIds)


@contextmanager
def _reload_on_hangup(reloader: Reloader | None) -> Iterator[None]:
    """Inside the block, SIGHUP reloads the configuration."""
    if reloader is None:
        yield
        return
    loop = asyncio.get_running_loop()
    running: set[asyncio.Task[None]] = set()

    async def reload() -> None:
        with suppress(GuardError):  # logged and counted where it was raised
            await reloader.reload()

    def start() -> None:
        task = asyncio.create_task(reload())
        running.add(task)
        task.add_done_callback(running.discard)

    try:
        loop.add_signal_handler(signal.SIGHUP, start)
    except (RuntimeError, ValueError):  # not the main thread: signals go elsewhere
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
