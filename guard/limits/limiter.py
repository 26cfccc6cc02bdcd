"""The limiter: admits requests by their key's limits, and takes down what they have cost."""

import asyncio
import logging
import math
import uuid
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from time import monotonic
from typing import Any

from guard.limits.buckets import Limit, LocalLimits, Standing
from guard.limits.shared import SharedLimits, SharedLimitsError
from guard.observability.metrics import Metrics
from guard.settings import NO_LIMITS, Rates, Redis
from guard.terms.errors import RequestError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Lease:
    """An admitted request: its key, the tokens taken for it, and what its client is told.

    `shared` says where it was counted.
    """

    key: str
    cost: int
    headers: dict[str, str]
    counts_tokens: bool
    shared: bool
    request: str


class Limiter:
    """Counts in Redis where that is configured and answers; otherwise in this process.

    Redis may fail at any time: a request waits for it at most once, for its timeout, and for
    `retry_s` afterwards nobody asks it. It never makes an error of a request.
    """

    def __init__(self, redis: Redis | None, metrics: Metrics) -> None:
        self._local = LocalLimits()
        self._shared = SharedLimits(redis) if redis else None
        self._retry_s = redis.retry_s if redis else 0.0
        self._away_until = 0.0
        self._metrics = metrics
        self._leases: set[Lease] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to renew the leases of requests that take long."""
        if self._shared:
            self._keep(self._renewals())

    async def admit(self, key: str, rates: Rates, cost: int) -> Lease | None:
        """A lease for a request that costs about `cost` tokens; None for a key without limits.

        RequestError (429) names the limit that was met and says when to come again.
        """
        if rates == NO_LIMITS:
            return None
        if not rates.tokens_per_minute:
            cost = 0
        request = uuid.uuid4().hex
        standing = await self._shared_standing(key, rates, cost, request)
        shared = standing is not None
        if standing is None:
            standing = self._local.admit(key, rates, cost)
        headers = rate_headers(rates, standing)
        if standing.refused:
            self._metrics.rate_limited.labels(standing.refused).inc()
            raise _too_many(standing.refused, rates, standing, cost, headers)
        counts = rates.tokens_per_minute is not None
        lease = Lease(key, cost, headers, counts, shared, request)
        self._leases.add(lease)
        return lease

    async def settle(self, lease: Lease, used: int) -> None:
        """End a request that has used so many tokens, and see it taken down."""
        if (task := self.end(lease, used)) is not None:
            await asyncio.shield(task)

    def end(self, lease: Lease, used: int) -> "asyncio.Task[None] | None":
        """End a request, unless it has ended; waits for nothing. What takes it down in Redis."""
        if lease not in self._leases:
            return None
        self._leases.discard(lease)
        difference = used - lease.cost if lease.counts_tokens else 0
        if lease.shared:
            return self._keep(self._settle_shared(lease, difference))
        self._local.settle(lease.key, difference)
        return None

    async def _shared_standing(
        self, key: str, rates: Rates, cost: int, request: str
    ) -> Standing | None:
        """How the key stands in Redis; None where that cannot be told now."""
        if self._shared is None or monotonic() < self._away_until:
            return None
        try:
            standing = await self._shared.admit(key, rates, cost, request)
        except SharedLimitsError as error:
            self._lost(error)
            return None
        self._metrics.shared_limits_up.set(1)
        return standing

    def _lost(self, error: SharedLimitsError) -> None:
        if monotonic() >= self._away_until:
            logger.error("redis: %s; limits are counted by each process", error)
        self._away_until = monotonic() + self._retry_s
        self._metrics.shared_limits_failures.inc()
        self._metrics.shared_limits_up.set(0)

    async def _settle_shared(self, lease: Lease, difference: int) -> None:
        assert self._shared  # noqa: S101 - only shared leases come here
        try:
            await self._shared.settle(lease.key, difference, lease.request)
        except SharedLimitsError as error:
            self._lost(error)

    async def _renewals(self) -> None:
        assert self._shared  # noqa: S101
        while True:
            await asyncio.sleep(self._shared.lease_s / 3)
            running: dict[str, list[str]] = defaultdict(list)
            for lease in self._leases:
                if lease.shared:
                    running[lease.key].append(lease.request)
            try:
                if running:
                    await self._shared.renew(running)
            except SharedLimitsError as error:
                self._lost(error)

    def _keep(self, coroutine: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Close the connections; what is not yet written is not."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._shared:
            await self._shared.close()


RATE_HEADERS = tuple(
    f"x-ratelimit-{what}-{name}"
    for name in ("requests", "tokens")
    for what in ("limit", "remaining", "reset")
)


def rate_headers(rates: Rates, standing: Standing) -> dict[str, str]:
    """OpenAI's headers for what is limited: limit, rest, and when the bucket is full again."""
    headers = {}
    for name, limit, left in (
        ("requests", rates.requests_per_minute, standing.requests),
        ("tokens", rates.tokens_per_minute, standing.tokens),
    ):
        if limit:
            headers[f"x-ratelimit-limit-{name}"] = str(limit)
            headers[f"x-ratelimit-remaining-{name}"] = str(max(0, math.floor(left)))
            headers[f"x-ratelimit-reset-{name}"] = duration((limit - left) * 60 / limit)
    return headers


def duration(seconds: float) -> str:
    """As OpenAI writes it: `6m0s`, `1.5s`, `20ms`."""
    if seconds < 1:
        return f"{math.ceil(seconds * 1000)}ms"
    if seconds < 60:
        return f"{seconds:.3f}".rstrip("0").rstrip(".") + "s"
    minutes, rest = divmod(math.ceil(seconds), 60)
    return f"{minutes}m{rest}s"


def _too_many(
    limit: Limit, rates: Rates, standing: Standing, cost: int, headers: dict[str, str]
) -> RequestError:
    return RequestError(
        _MET[limit],
        status=429,
        code="rate_limit_exceeded",
        kind=limit,
        headers={**headers, "retry-after": str(_seconds_until(limit, rates, standing, cost))},
    )


_MET = {
    "requests": "This API key has sent too many requests",
    "tokens": "This API key has used too many tokens",
    "concurrent": "This API key has too many requests under way",
}


def _seconds_until(limit: Limit, rates: Rates, standing: Standing, cost: int) -> int:
    """When the bucket will have enough; of requests under way nobody knows."""
    if limit == "requests":
        seconds = (1 - standing.requests) * 60 / (rates.requests_per_minute or 1)
    elif limit == "tokens":
        allowance = rates.tokens_per_minute or 1
        seconds = (min(cost, allowance) - standing.tokens) * 60 / allowance
    else:
        return 1
    return max(1, math.ceil(seconds))
