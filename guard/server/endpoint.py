"""The ASGI side of a JSON route: reads the body, watches for a leaving client, sends the reply.

Plain ASGI on purpose: FastAPI's request and response models would cost more than all of it, and a
stream must be under our own hand to end honestly.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from time import perf_counter

from starlette.types import Receive, Scope, Send

from guard.gateway.client import Client, Reply
from guard.gateway.exchange import Exchange
from guard.gateway.service import Current, Service
from guard.limits.charge import BYTES_PER_TOKEN, Charge
from guard.limits.limiter import Limiter
from guard.observability.logs import log_answer
from guard.observability.metrics import Metrics
from guard.observability.tracing import Tracer
from guard.server.client_gone import ClientGoneError, WhileConnected
from guard.server.headers import (
    chosen_request_id,
    declared_bytes,
    latin_headers,
    onward_headers,
)
from guard.server.reply_sender import Envelope, ReplySender
from guard.settings import NO_LIMITS, Limits
from guard.store.journal import Journal
from guard.terms.entry import Entry
from guard.terms.errors import ClientVisibleError, RequestError
from guard.terms.json import JsonObject
from guard.wire.json_body import check_encoding, parse_body

logger = logging.getLogger(__name__)


Answer = Callable[[Exchange, JsonObject, Client], AbstractAsyncContextManager[Reply]]


class JsonEndpoint:
    """A route that takes a JSON object: `answer` yields the reply to one.

    A request is served from its first byte to its last by the service that was current when it
    came in, whatever is put in its place meanwhile.
    """

    def __init__(
        self,
        envelope: Envelope,
        answer: Answer,
        current: Current,
        metrics: Metrics,
        *,
        key_scope: str = "inference",
        limiter: Limiter | None = None,
        journal: Journal | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._envelope = envelope
        self._answer = answer
        self._key_scope = key_scope
        self._current = current
        self._metrics = metrics
        self._limiter = limiter
        self._journal = journal
        self._tracer = tracer
        self._reads_tokens = journal is not None or tracer is not None
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = latin_headers(scope)
        request_id = chosen_request_id(headers)
        self._in_flight += 1
        self._metrics.in_flight.inc()
        sender = ReplySender(
            send, request_id, self._envelope.route, self._metrics, reads_tokens=self._reads_tokens
        )
        if self._tracer:
            sender.trace = self._tracer.request(self._envelope.route, headers.get("traceparent"))
        try:
            with self._current.use() as service:
                await self._serve(service, headers, request_id, receive, sender)
        except ClientGoneError:
            self._metrics.disconnects.labels(self._envelope.route).inc()
        except ClientVisibleError as error:
            await sender.send_error(self._envelope, error)
        except Exception as error:
            # Nothing of it may reach the client or the log but its type: it could quote a prompt.
            logger.error("request %s failed: %s", request_id, type(error).__name__)
            logger.debug("request %s", request_id, exc_info=error)
            await sender.send_error(self._envelope, _internal_error())
        finally:
            self._in_flight -= 1
            self._metrics.in_flight.dec()
            sender.end_charge()
            self._close(request_id, sender)

    def _close(self, request_id: str, sender: ReplySender) -> None:
        """Record what became of a request: metrics, log, journal, spans."""
        status, action = sender.status, sender.action
        latency_s = perf_counter() - sender.started
        route, entry = self._envelope.route, sender.entry
        self._metrics.answer_seconds.labels(route).observe(latency_s)
        log_answer(
            request_id=request_id,
            key=entry.key if entry else "",
            route=route,
            status=status,
            action=action,
            latency_s=latency_s,
            trace_id=sender.trace.id,
        )
        sender.trace.end(request_id, status, action, entry)
        if self._journal and entry:
            self._journal.close(entry, status=status, action=action, latency_s=latency_s)

    async def _serve(
        self,
        service: Service,
        headers: Mapping[str, str],
        request_id: str,
        receive: Receive,
        sender: ReplySender,
    ) -> None:
        key = service.keyring.admit(headers, self._key_scope)
        owner = key.name if key else ""
        entry = sender.entry = Entry(request_id, self._envelope.route, owner, service.artifacts)
        if self._in_flight > service.limits.concurrent_requests:
            raise _overloaded()
        declared = declared_bytes(headers)
        if declared is not None:
            await self._admit(service, owner, declared, sender)
        raw = await read_body(receive, headers, service.limits)
        if declared is None:  # a body in chunks: only now its size is known
            await self._admit(service, owner, len(raw), sender)
        sender.started = perf_counter()
        client = Client(owner, onward_headers(headers, request_id), entry, sender.trace)
        content_type = headers.get("content-type")
        async with WhileConnected(receive) as connected:
            await self._respond(service, raw, content_type, client, sender, connected)

    async def _admit(self, service: Service, owner: str, size: int, sender: ReplySender) -> None:
        """Take a request of `size` bytes off its key's limits; RequestError (429) beyond them."""
        rates = service.rates(owner)
        if self._limiter and rates is not NO_LIMITS:
            lease = await self._limiter.admit(owner, rates, size // BYTES_PER_TOKEN)
            sender.charge = Charge(self._limiter, lease) if lease else None

    async def _respond(
        self,
        service: Service,
        raw: bytes,
        content_type: str | None,
        client: Client,
        sender: ReplySender,
        connected: WhileConnected,
    ) -> None:
        body = parse_body(raw, content_type, service.body_limits)
        async with self._answer(service.exchange, body, client) as reply:
            await sender.send(reply)
            connected.end()


async def read_body(receive: Receive, headers: Mapping[str, str], limits: Limits) -> bytes:
    """The whole request body; RequestError when it is too large, too slow or encoded."""
    check_encoding(headers.get("content-encoding"))
    if (declared_bytes(headers) or 0) > limits.body_bytes:
        raise _too_large(limits.body_bytes)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_s):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > limits.body_bytes:
                    raise _too_large(limits.body_bytes)
                chunks.append(chunk)
                if not message.get("more_body", False):
                    return b"".join(chunks)
    except TimeoutError:
        raise RequestError(
            "The request body did not arrive in time", status=408, code="request_timeout"
        ) from None


def _too_large(most: int) -> RequestError:
    return RequestError(
        f"The request body is larger than {most} bytes", status=413, code="request_too_large"
    )


def _overloaded() -> RequestError:
    return RequestError(
        "Too many requests are being answered",
        status=503,
        code="overloaded",
        kind="server_error",
        headers={"retry-after": "1"},
    )


def _internal_error() -> RequestError:
    return RequestError("Internal error", status=500, code="internal_error", kind="server_error")
