"""The servers that have a model: which one gets the next request, and who waits for a place."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import urlsplit

from guard.observability.metrics import Metrics
from guard.settings import Upstream as UpstreamSettings
from guard.terms.errors import UpstreamError
from guard.upstream.breaker import Breaker
from guard.upstream.faults import Faults
from guard.upstream.health import Condition
from guard.upstream.server_version import Version


class Backend:
    """One vLLM server: how much it has to do, and how it is."""

    def __init__(self, url: str, settings: UpstreamSettings, metrics: Metrics) -> None:
        self.url = url.rstrip("/")
        self.label = urlsplit(url).netloc
        self.in_flight = 0
        self.healthy = True
        self.version: Version | None = None
        self.has_told_version = False
        self.contexts: Mapping[str, int | None] = {}
        self.connections = settings.connections
        self.breaker = Breaker(settings.breaker_failures, settings.breaker_s)
        self._metrics = metrics
        self._gauge = metrics.upstream_in_flight.labels(self.label)
        self.faults = Faults(self.label, metrics)
        metrics.upstream_up.labels(self.label).set(1)

    def begin(self) -> None:
        """A request is sent there."""
        self.in_flight += 1
        self._gauge.inc()
        self.breaker.begin()

    def end(self) -> None:
        """A request that was sent there is over."""
        self.in_flight -= 1
        self._gauge.dec()

    def failed(self, stage: str, cause: str) -> None:
        """Count a request that failed there, and say why (`guard.upstream.faults`)."""
        self._metrics.upstream_failures.labels(stage).inc()
        self.faults.note(cause)
        if self.breaker.failed():
            self._metrics.upstream_breaks.labels(self.label).inc()

    def found(self, condition: Condition) -> None:
        """Note what a health check found: a server that is up gets requests, whatever else it
        lacks, for another may lack the same."""
        self.healthy = condition.is_up
        if condition.models:
            self.contexts = condition.models
        self._metrics.upstream_up.labels(self.label).set(condition.is_up)
        if condition.cause:
            self.faults.note(condition.cause, ", ".join(condition.missing))
        else:
            self.faults.over()


class Pool:
    """Gives each request the least loaded server that is not known to be ill."""

    def __init__(self, backends: Iterable[Backend], queue_s: float) -> None:
        self.backends = tuple(backends)
        self._queue_s = queue_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._turn = 0

    async def take(self, avoid: Collection[Backend] = ()) -> Backend:
        """A server, with a place on it that must be given back by `release`.

        One of `avoid` only where there is no other. Waits at most `queue_s` for a place. Raises
        UpstreamError (503): when all servers are left alone, at once.
        """
        if (chosen := self._choose(avoid)) is None:
            chosen = await self._wait(avoid)
        chosen.begin()
        return chosen

    def release(self, backend: Backend) -> None:
        """Give a place back; the one who has waited longest may try for it."""
        backend.end()
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def has_other(self, avoid: Collection[Backend]) -> bool:
        """Whether some server, not of `avoid`, would get a request."""
        return any(backend.breaker.admits for backend in self.backends if backend not in avoid)

    def _choose(self, avoid: Collection[Backend]) -> Backend | None:
        """None when all places are taken; UpstreamError when nobody may be asked."""
        only = self.backends[0] if len(self.backends) == 1 else None
        if only and only.breaker.is_closed:  # most deployments: nothing to compare
            return only if only.in_flight < only.connections else None
        usable = [backend for backend in self.backends if backend.breaker.admits]
        if not usable:
            raise _all_down(min(backend.breaker.remaining_s for backend in self.backends))
        # Where all fail their health checks, the checks may be what is wrong.
        usable = [b for b in usable if b.healthy] or usable
        usable = [b for b in usable if b not in avoid] or usable
        free = [backend for backend in usable if backend.in_flight < backend.connections]
        if not free:
            return None
        self._turn += 1  # equals take turns
        turned = free[self._turn % len(free) :] + free[: self._turn % len(free)]
        return min(turned, key=lambda backend: backend.in_flight)

    async def _wait(self, avoid: Collection[Backend]) -> Backend:
        try:
            async with asyncio.timeout(self._queue_s):
                while (chosen := self._choose(avoid)) is None:
                    waiter = asyncio.get_running_loop().create_future()
                    self._waiting.append(waiter)
                    await waiter
                return chosen
        except TimeoutError:
            raise UpstreamError(
                "The model servers are busy",
                status=503,
                code="overloaded",
                headers={"retry-after": "1"},
            ) from None


def _all_down(seconds: float) -> UpstreamError:
    return UpstreamError(
        "The model server cannot be reached",
        status=503,
        headers={"retry-after": str(max(1, round(seconds)))},
    )
