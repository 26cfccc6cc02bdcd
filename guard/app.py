"""`create_app`: wiring and lifespan, nothing else; importing it opens and reads nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from guard import __version__
from guard.check import Check
from guard.closed_routes import ClosedRoutes, RequestIds, answer_http_error
from guard.corruption.rewriting import Rewriter, open_rewriter
from guard.detectors.contract import WindowedEncoder
from guard.detectors.loading import load_detectors, read_digests
from guard.endpoint import JsonEndpoint
from guard.exchange import Exchange
from guard.operations.journal import open_journal
from guard.operations.keys import Keyring
from guard.operations.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.service_routes import service_router
from guard.settings import Settings, secret
from guard.stored_responses import stored_responses_router
from guard.tokenizers import open_detokenisers
from guard.upstream.client import Upstream
from guard.wire.fields import Detokenise
from guard.wire.protocols import make_protocols
from guard.wire.responses.store import ResponseStore


@dataclass(frozen=True, slots=True)
class Parts:
    """What is read from disk before the first request: artifacts, tables, tokenizers."""

    policies: tuple[Policy, ...]
    encoder: WindowedEncoder | None
    rewriter: Rewriter | None
    detokenisers: Mapping[str, Detokenise]
    upstream_key: str | None
    artifacts: Mapping[str, str] = field(default_factory=dict)


def load_parts(settings: Settings) -> Parts:
    """Read everything the settings name; raises ConfigError or ArtifactError."""
    encoder, detectors = load_detectors(settings)
    return Parts(
        policies=tuple(Policy.build(p, detectors[p.detector]) for p in settings.policies),
        encoder=encoder,
        rewriter=open_rewriter(settings) if settings.may_corrupt else None,
        detokenisers=open_detokenisers(settings.models),
        upstream_key=secret(settings.upstream.api_key_env)
        if settings.upstream.api_key_env
        else None,
        artifacts=read_digests(settings),
    )


def create_app(settings: Settings, parts: Parts | None = None) -> FastAPI:
    """The proxy as an ASGI application. Parts are loaded here, before the port is open."""
    loaded = parts or load_parts(settings)
    metrics = Metrics()
    keyring = Keyring(settings.keys)
    store = settings.store
    journal = open_journal(store, metrics, loaded.artifacts) if store else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        upstream = Upstream(settings.upstream, loaded.upstream_key, metrics)
        screener = _screener(settings, loaded, metrics)
        exchange = Exchange(
            settings, screener, upstream, loaded.rewriter, metrics, loaded.detokenisers
        )
        responses = ResponseStore()
        protocols = make_protocols(responses)
        make = partial(
            JsonEndpoint, keyring=keyring, limits=settings.limits, metrics=metrics, journal=journal
        )
        for route, protocol in protocols.items():
            endpoint = make(protocol, partial(exchange.answer, protocol))
            app.router.routes.append(Route(route, endpoint, methods=["POST"]))
        if settings.check.enabled:
            check = Check(exchange, protocols)
            endpoint = make(check, check.answer, key_scope="check")
            app.router.routes.append(Route(check.route, endpoint, methods=["POST"]))
        app.include_router(service_router(settings, upstream, keyring, metrics))
        app.include_router(stored_responses_router(responses, keyring))
        if journal:
            journal.start()
        yield
        screener.close()
        await upstream.close()
        if journal:
            await asyncio.to_thread(journal.stop)

    app = FastAPI(
        title="EcoGuard",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.add_exception_handler(404, answer_http_error)
    app.add_exception_handler(405, answer_http_error)
    if settings.cors.allow_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors.allow_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["x-request-id", "retry-after"],
        )
    app.add_middleware(ClosedRoutes)
    app.add_middleware(RequestIds)
    return app


def _screener(settings: Settings, parts: Parts, metrics: Metrics) -> Screener:
    limits = settings.limits
    return Screener(
        parts.policies,
        parts.encoder,
        metrics,
        threads=limits.screening_threads,
        queue=limits.screening_queue,
        timeout=limits.screening_s,
    )
