"""Deadlines end what takes too long, each block by itself, and nothing else."""

import asyncio

import pytest

from guard.gateway.deadlines import Deadlines

SOON = 0.01


async def test_work_in_time_is_left_alone_and_the_timer_ends_with_it() -> None:
    deadlines = Deadlines(SOON)
    for _ in range(3):
        with deadlines.block():
            await asyncio.sleep(0)
    await asyncio.sleep(2 * SOON)
    assert deadlines._timer is None
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_what_takes_too_long_ends_with_a_timeout() -> None:
    deadlines = Deadlines(SOON)
    with pytest.raises(TimeoutError), deadlines.block():
        await asyncio.Event().wait()
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]
    with deadlines.block():
        await asyncio.sleep(0)


async def test_each_block_has_its_own_time() -> None:
    deadlines = Deadlines(10 * SOON)
    loop = asyncio.get_running_loop()

    async def wait() -> float:
        began = loop.time()
        with pytest.raises(TimeoutError), deadlines.block():
            await asyncio.Event().wait()
        return loop.time() - began

    first = asyncio.create_task(wait())
    await asyncio.sleep(5 * SOON)
    second = asyncio.create_task(wait())
    with deadlines.block():
        assert await first >= 10 * SOON
    assert await second >= 10 * SOON


async def test_somebody_elses_cancellation_stays_one() -> None:
    deadlines, inside = Deadlines(60), asyncio.Event()

    async def work() -> None:
        with deadlines.block():
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_both_at_once_are_a_cancellation() -> None:
    deadlines, ended = Deadlines(SOON), asyncio.Event()

    async def work() -> None:
        with deadlines.block():
            try:
                await asyncio.Event().wait()
            finally:
                asyncio.current_task().cancel()  # type: ignore[union-attr]
                ended.set()

    task = asyncio.create_task(work())
    await ended.wait()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_stays_itself() -> None:
    with pytest.raises(KeyError), Deadlines(60).block():
        raise KeyError


def test_there_must_be_a_task() -> None:
    with pytest.raises(RuntimeError, match="event loop"), Deadlines(1).block():
        pass
