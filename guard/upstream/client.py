"""The vLLM client: several servers, stage-wise timeouts, errors translated in one place."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

import aiohttp

from guard.observability.metrics import Metrics
from guard.settings import Model
from guard.settings import Upstream as UpstreamSettings
from guard.terms.errors import UpstreamError
from guard.upstream.connection import open_session
from guard.upstream.faults import cause_of_error, cause_of_status
from guard.upstream.health import FAILURES, Condition, examine
from guard.upstream.pool import Backend, Pool
from guard.upstream.server_version import Version, read_version, warn_of

# What a server says that is ill or in the wrong place; another one may answer.
ILL = frozenset({502, 503, 504})
# Failures before any byte of an answer: nothing was told to the client, so another may be asked.
UNANSWERED = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientOSError,
)


@dataclass(frozen=True, slots=True)
class UpstreamReply:
    """The model server's answer, its body not yet read. Valid inside `Upstream.send` only."""

    status: int
    content_type: str
    _response: aiohttp.ClientResponse
    _backend: Backend

    async def body(self) -> bytes:
        """The whole body."""
        try:
            body = await self._response.read()
        except FAILURES as error:
            raise translate(error, self._backend, "body") from error
        self._backend.breaker.succeeded()
        return body

    def note(self, cause: str) -> None:
        """Tell the operator what the body says of the server (`guard.upstream.faults`)."""
        self._backend.faults.note(cause)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's bytes as they come in; raises UpstreamError when the server is lost."""
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except FAILURES as error:
            raise translate(error, self._backend, "stream") from error
        self._backend.breaker.succeeded()


class _Sending:
    """A request, from its sending until nobody reads its reply any more: one `Upstream.send`.

    A class, for a generator made into a context manager costs several times as much.
    """

    def __init__(
        self, pool: Pool, ask: Callable[[], Awaitable[tuple[Backend, aiohttp.ClientResponse]]]
    ) -> None:
        self._pool = pool
        self._ask = ask

    async def __aenter__(self) -> UpstreamReply:
        self._backend, self._response = await self._ask()
        response = self._response
        return UpstreamReply(response.status, response.content_type, response, self._backend)

    async def __aexit__(self, *_: object) -> None:
        if not self._response.closed:  # its connection is not in other hands yet
            self._response.close()
        self._pool.release(self._backend)


class Upstream:
    """Requests to vLLM servers. Made inside a running event loop; closed with `close`."""

    def __init__(
        self,
        settings: UpstreamSettings,
        api_key: str | None,
        metrics: Metrics,
        *,
        models: Mapping[str, Model] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._metrics = metrics
        self._session = open_session(settings, api_key, tls)
        self._backends: dict[str, Backend] = {}
        self._pool = self._pool_of(settings.servers)
        self._pools = {
            name: self._pool_of(model.upstreams)
            for name, model in (models or {}).items()
            if model.upstreams
        }
        self._wanted = self._wanted_models(models or {})
        self._checks: list[asyncio.Task[None]] = []

    def _pool_of(self, urls: tuple[str, ...]) -> Pool:
        """A pool of these servers; one that several models share counts all their requests."""
        for url in urls:
            if url not in self._backends:
                self._backends[url] = Backend(url, self._settings, self._metrics)
        return Pool([self._backends[url] for url in dict.fromkeys(urls)], self._settings.queue_s)

    def _wanted_models(self, models: Mapping[str, Model]) -> dict[str, frozenset[str]]:
        """By server, the configured models that are asked for there."""
        pools = {name: self._pools.get(name, self._pool) for name in models}
        return {
            backend.url: frozenset(n for n, pool in pools.items() if backend in pool.backends)
            for backend in self.backends
        }

    def watch(self) -> None:
        """Begin to check the servers' health, again and again until `close`."""
        self._checks = [asyncio.create_task(self._watch(b)) for b in self.backends]

    @property
    def backends(self) -> tuple[Backend, ...]:
        """All servers, each once."""
        return tuple(self._backends.values())

    @property
    def own_pools(self) -> Mapping[str, Pool]:
        """By model, the servers of models that have their own."""
        return self._pools

    def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        model: str | None = None,
    ) -> AbstractAsyncContextManager[UpstreamReply]:
        """Send a request to a server that has `model`; the block begins once the status is in.

        Leaving the block closes the reply; one that was not read to its end takes its connection
        with it, which is how vLLM learns that nobody waits any more. Raises UpstreamError.
        """
        sent = dict(headers or {})
        if body is not None:
            sent["content-type"] = "application/json"
        pool = self._pools.get(model, self._pool) if model else self._pool
        return _Sending(pool, partial(self._answered, pool, method, path, body, sent))

    async def _answered(
        self, pool: Pool, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[Backend, aiohttp.ClientResponse]:
        """A server and the status it answered with; another is asked where that is harmless."""
        tried: list[Backend] = []
        while True:
            backend = await pool.take(tried)
            tried.append(backend)
            may_retry = len(tried) <= self._settings.retries
            try:
                response = await self._asked(backend, method, path, body, headers)
            except BaseException as error:
                pool.release(backend)
                if not (may_retry and _harmless(error, pool.has_other(tried))):
                    raise
                self._metrics.upstream_retries.inc()
                continue
            if response.status not in ILL or not (may_retry and pool.has_other(tried)):
                return backend, response
            response.close()
            pool.release(backend)
            self._metrics.upstream_retries.inc()

    async def _asked(
        self,
        backend: Backend,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> aiohttp.ClientResponse:
        try:
            response = await self._session.request(
                method, backend.url + path, data=body, headers=headers, allow_redirects=False
            )
        except FAILURES as error:
            raise translate(error, backend, "connect") from error
        except asyncio.CancelledError:
            backend.breaker.abandoned()
            raise
        cause = cause_of_status(response.status)
        if response.status in ILL:
            backend.failed("status", cause or "failed")
        else:
            backend.breaker.answered()
            if cause:
                backend.faults.note(cause)
        _expect_more_within(response, self._settings.between_bytes_s)
        return response

    async def conditions(self) -> list[Condition]:
        """How each of `backends` is; asks all of them now."""
        return await asyncio.gather(*(self._examined(backend) for backend in self.backends))

    async def _watch(self, backend: Backend) -> None:
        while True:
            await asyncio.sleep(self._settings.health_s)
            condition = await self._examined(backend)
            if condition.is_up and not (backend.healthy and backend.has_told_version):
                await self._learn_version(backend)
            backend.found(condition)

    async def _learn_version(self, backend: Backend) -> None:
        """Ask for a server's version: at first, and when it comes back, maybe as another."""
        timeout = aiohttp.ClientTimeout(total=self._settings.health_timeout_s)
        try:
            async with self._session.get(f"{backend.url}/version", timeout=timeout) as response:
                version = read_version(await response.read()) if response.status == 200 else None
        except FAILURES:
            return
        if version != backend.version or not backend.has_told_version:
            warn_of(version, backend.label)
        backend.version, backend.has_told_version = version, True

    def version(self, model: str) -> Version | None:
        """The oldest version among the servers that have `model`, None while nobody has told it."""
        pool = self._pools.get(model, self._pool)
        return min((b.version for b in pool.backends if b.version), default=None)

    def context(self, model: str) -> int | None:
        """The longest context, in tokens, of the servers that have `model`; None while not all of
        them have told one: the request may go to any."""
        pool = self._pools.get(model, self._pool)
        told = [backend.contexts.get(model) for backend in pool.backends]
        known = [context for context in told if context is not None]
        return max(known) if len(known) == len(told) else None

    async def _examined(self, backend: Backend) -> Condition:
        wanted = self._wanted[backend.url]
        timeout_s = self._settings.health_timeout_s
        return await examine(self._session, backend.url, wanted, timeout_s)

    def unwatch(self) -> None:
        """Check no health any more."""
        for check in self._checks:
            check.cancel()

    async def close(self) -> None:
        """Close the pool and every connection in it."""
        self.unwatch()
        await asyncio.gather(*self._checks, return_exceptions=True)
        await self._session.close()


def _expect_more_within(response: aiohttp.ClientResponse, seconds: float) -> None:
    """From the status on, another patience counts than until there."""
    connection = response.connection  # None where the whole answer is in
    if connection is not None and connection.protocol is not None:
        connection.protocol.read_timeout = seconds
        connection.protocol.start_timeout()


def _harmless(error: BaseException, has_other: bool) -> bool:
    """Whether a request that failed so may be sent again: to another server, or to the same one
    where it only dropped the connection, as one that was idle for too long is."""
    cause = error.__cause__
    if not isinstance(error, UpstreamError) or not isinstance(cause, UNANSWERED):
        return False
    return has_other or isinstance(cause, aiohttp.ServerDisconnectedError)


def translate(error: Exception, backend: Backend, stage: str) -> UpstreamError:
    """One of FAILURES as ours, noted as the server's; the most telling class wins."""
    backend.failed(stage, cause_of_error(error))
    if isinstance(error, TimeoutError):
        return UpstreamError(
            "The model server did not answer in time", status=504, code="upstream_timeout"
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return UpstreamError("The model server cannot be reached", status=503)
    return UpstreamError("The connection to the model server was lost")
