"""Limits in a real Redis: the same arithmetic, over replicas, through the server's faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import pytest

from guard.limits.buckets import LocalLimits
from guard.limits.shared import LEASE_S, SharedLimits, SharedLimitsError
from guard.settings import Rates, Redis
from guard.terms.errors import ConfigError
from tests.redis_server import RedisServer


@asynccontextmanager
async def limits_in(
    redis: RedisServer, *, lease_s: float = LEASE_S, **more: Any
) -> AsyncIterator[SharedLimits]:
    limits = SharedLimits(Redis(url=redis.url, **{"timeout_s": 5, **more}), lease_s)
    try:
        yield limits
    finally:
        await limits.close()


@pytest.mark.parametrize(
    "rates",
    [
        Rates(requests_per_minute=3),
        Rates(tokens_per_minute=50),
        Rates(concurrent_requests=2),
        Rates(requests_per_minute=4, tokens_per_minute=50, concurrent_requests=3),
    ],
)
async def test_redis_counts_as_memory_does(redis: RedisServer, rates: Rates) -> None:
    local = LocalLimits(lambda: 0.0)
    async with limits_in(redis) as shared:
        for number, cost in enumerate((10, 30, 20, 5, 1)):
            here = local.admit("k", rates, cost)
            there = await shared.admit("k", rates, cost, str(number))
            assert (there.refused, there.running) == (here.refused, here.running)
            assert there.requests == pytest.approx(here.requests, abs=0.5)
            assert there.tokens == pytest.approx(here.tokens, abs=5)
            if number == 1 and here.refused is None:
                local.settle("k", 7)
                await shared.settle("k", 7, "1")


async def test_replicas_share_and_none_passes_the_limit(redis: RedisServer) -> None:
    rates = Rates(requests_per_minute=10)
    async with limits_in(redis) as one, limits_in(redis) as other:
        standings = await asyncio.gather(
            *(
                replica.admit("k", rates, 0, f"{number}-{id(replica)}")
                for number in range(20)
                for replica in (one, other)
            )
        )

    assert sum(standing.refused is None for standing in standings) == 10


async def test_a_dead_process_does_not_keep_its_places(redis: RedisServer) -> None:
    rates = Rates(concurrent_requests=1)
    async with limits_in(redis, lease_s=0.05) as limits:
        assert (await limits.admit("k", rates, 0, "dead")).refused is None
        async with asyncio.timeout(5):
            while (await limits.admit("k", rates, 0, "alive")).refused:
                pass


async def test_a_renewed_lease_lasts(redis: RedisServer) -> None:
    rates = Rates(concurrent_requests=1)
    async with limits_in(redis, lease_s=0.2) as short, limits_in(redis, lease_s=60) as limits:
        await short.admit("k", rates, 0, "long")
        await limits.renew({"k": ["long"]})
        for _ in range(300):
            assert (await limits.admit("k", rates, 0, "next")).refused == "concurrent"
        await limits.settle("k", 0, "long")
        assert (await limits.admit("k", rates, 0, "next")).refused is None


async def test_a_server_that_is_gone_is_told_at_once_and_found_again(redis: RedisServer) -> None:
    rates = Rates(requests_per_minute=5)
    async with limits_in(redis) as limits:
        await limits.admit("k", rates, 0, "1")
        redis.kill()
        try:
            for act in (
                limits.admit("k", rates, 0, "2"),
                limits.settle("k", 1, "1"),
                limits.renew({"k": ["1"]}),
            ):
                with pytest.raises(SharedLimitsError):
                    await act
        finally:
            redis.start()
        assert (await limits.admit("k", rates, 0, "3")).refused is None


async def test_a_hung_server_costs_its_timeout_and_no_more(redis: RedisServer) -> None:
    async with limits_in(redis, timeout_s=0.05) as limits:
        with redis.hung():
            started = perf_counter()
            with pytest.raises(SharedLimitsError):
                await limits.admit("k", Rates(requests_per_minute=5), 0, "1")
            assert perf_counter() - started < 2


def test_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Redis(url="redis://cache:6379/0", password_env="REDIS_PASSWORD")
    monkeypatch.delenv("REDIS_PASSWORD", raising=False)
    with pytest.raises(ConfigError, match="REDIS_PASSWORD"):
        SharedLimits(settings)


@pytest.mark.parametrize("url", ["redis://:hunter2@cache", "http://cache", "redis://"])
def test_other_addresses_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match="url"):
        Redis(url=url)
