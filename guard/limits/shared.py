"""Limits that all replicas share, in Redis."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from time import time
from typing import TYPE_CHECKING, cast

from guard.limits.buckets import Limit, Standing
from guard.settings import Rates, Redis, redis_options
from guard.terms.errors import GuardError

if TYPE_CHECKING:
    from redis.asyncio import Redis as Client

LEASE_S = 30.0


class SharedLimitsError(GuardError):
    """Redis did not answer, or not in time."""


class SharedLimits:
    """The buckets and running requests of all keys in one Redis server.

    A request under way holds a lease, renewed while it runs, so that those of a process that died
    are free again after `lease_s` seconds. Every method raises SharedLimitsError within the
    configured timeout.
    """

    def __init__(self, settings: Redis, lease_s: float = LEASE_S) -> None:
        self.lease_s = lease_s
        self._settings = settings
        self._client = _connect(settings)
        self._admission = self._client.register_script(_script())

    async def admit(self, key: str, rates: Rates, cost: int, request: str) -> Standing:
        """Take a request from the key's buckets, if it may pass; `request` is an id of its own."""
        limits = rates.requests_per_minute, rates.tokens_per_minute, rates.concurrent_requests
        bounds = [limit or 0 for limit in limits]
        arguments: list[str | float] = [*bounds, cost, request, self.lease_s]
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                answer = await self._admission(keys=self._keys(key), args=arguments)
        except _faults() as error:
            raise SharedLimitsError(type(error).__name__) from error
        refused, requests, tokens, running = answer
        limit = cast("Limit | None", refused.decode() or None)
        return Standing(limit, float(requests), float(tokens), int(running))

    async def ping(self) -> None:
        """Return once Redis has answered."""
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                await self._client.ping()
        except _faults() as error:
            raise SharedLimitsError(type(error).__name__) from error

    async def settle(self, key: str, difference: int, request: str) -> None:
        """End a request that has cost `difference` tokens more than was taken."""
        buckets, running = self._keys(key)
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                async with self._client.pipeline(transaction=False) as pipeline:
                    pipeline.zrem(running, request)
                    if difference:
                        pipeline.hincrbyfloat(buckets, "tokens", -difference)
                    await pipeline.execute()
        except _faults() as error:
            raise SharedLimitsError(type(error).__name__) from error

    async def renew(self, requests: Mapping[str, Sequence[str]]) -> None:
        """Hold on to the leases of requests, by key."""
        until = time() + self.lease_s
        try:
            async with asyncio.timeout(self._settings.timeout_s):
                async with self._client.pipeline(transaction=False) as pipeline:
                    for key, ids in requests.items():
                        pipeline.zadd(self._keys(key)[1], dict.fromkeys(ids, until))
                        pipeline.expire(self._keys(key)[1], int(self.lease_s))
                    await pipeline.execute()
        except _faults() as error:
            raise SharedLimitsError(type(error).__name__) from error

    def _keys(self, key: str) -> tuple[str, str]:
        place = f"{self._settings.prefix}:limits:{{{key}}}"  # braces: one slot of a cluster
        return f"{place}:buckets", f"{place}:running"

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _connect(settings: Redis) -> "Client":
    options = redis_options(settings)
    from redis.asyncio import Redis as Client
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    return Client.from_url(**options, retry=Retry(NoBackoff(), 0))


def _faults() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError

    return (RedisError, OSError, TimeoutError)


@cache
def _script() -> str:
    return files("guard.limits").joinpath("shared.lua").read_text(encoding="utf-8")
