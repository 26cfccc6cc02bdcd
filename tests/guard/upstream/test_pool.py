"""The pool: who gets the next request, who waits, who is told at once that there is no use."""

import asyncio
from typing import Any

import pytest

from guard.observability.metrics import Metrics
from guard.settings import Upstream as UpstreamSettings
from guard.terms.errors import UpstreamError
from guard.upstream.health import Condition
from guard.upstream.pool import Backend, Pool
from tests.turns import turns

DOWN = Condition("unreachable", is_up=False)


def pool_of(count: int = 2, **changes: Any) -> Pool:
    urls = [f"http://server-{number}:8000" for number in range(count)]
    settings = UpstreamSettings.model_validate({"urls": urls, **changes})
    metrics = Metrics()
    return Pool([Backend(url, settings, metrics) for url in urls], settings.queue_s)


def bring_down(backend: Backend) -> None:
    for _ in range(5):
        backend.breaker.begin()
        backend.failed("connect", "unreachable")


async def test_the_least_loaded_gets_the_next_request() -> None:
    pool = pool_of(3)

    taken = [await pool.take() for _ in range(6)]
    pool.release(taken[4])

    assert sorted(b.in_flight for b in pool.backends) == [1, 2, 2]
    assert await pool.take() is taken[4]


async def test_equals_take_turns() -> None:
    pool = pool_of(3)
    seen = []
    for _ in range(6):
        seen.append(await pool.take())
        pool.release(seen[-1])

    assert {seen.count(backend) for backend in pool.backends} == {2}


async def test_the_ill_get_nothing_while_another_is_well() -> None:
    pool = pool_of(2)
    pool.backends[0].found(DOWN)

    assert {await pool.take() for _ in range(4)} == {pool.backends[1]}


async def test_where_all_look_ill_all_are_asked() -> None:
    """The checks may be what is wrong."""
    pool = pool_of(2)
    for backend in pool.backends:
        backend.found(DOWN)

    assert {await pool.take() for _ in range(4)} == set(pool.backends)


async def test_a_tried_server_is_avoided_while_there_is_another() -> None:
    first, second = (pool := pool_of(2)).backends

    assert await pool.take([first]) is second
    assert await pool.take([first, second]) is first
    assert pool.has_other([first])
    assert not pool.has_other([first, second])


async def test_where_all_are_down_the_answer_is_quick() -> None:
    pool = pool_of(2, queue_s=60)
    for backend in pool.backends:
        bring_down(backend)

    with pytest.raises(UpstreamError) as caught:
        await pool.take()

    assert (caught.value.status, caught.value.headers["retry-after"]) == (503, "10")


async def test_who_finds_no_place_waits_for_one() -> None:
    pool = pool_of(1, connections=1, queue_s=60)
    taken = await pool.take()
    waiters = [asyncio.create_task(pool.take()) for _ in range(2)]
    await turns()

    for waiter in waiters:
        pool.release(taken)
        assert await asyncio.wait_for(waiter, 5) is taken
    assert taken.in_flight == 1


async def test_nobody_waits_for_long() -> None:
    pool = pool_of(1, connections=1, queue_s=0.01)
    await pool.take()

    with pytest.raises(UpstreamError) as caught:
        await pool.take()

    assert (caught.value.status, caught.value.code) == (503, "overloaded")
    assert caught.value.headers["retry-after"] == "1"


async def test_a_waiter_that_left_takes_nobodys_place() -> None:
    pool = pool_of(1, connections=1, queue_s=60)
    taken = await pool.take()
    left, stayed = (asyncio.create_task(pool.take()) for _ in range(2))
    await turns()
    left.cancel()
    await turns()

    pool.release(taken)

    assert await asyncio.wait_for(stayed, 5) is taken
