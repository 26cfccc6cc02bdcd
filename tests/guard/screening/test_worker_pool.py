"""The pool: results, bounded waiting, and slots that come back."""

import asyncio
import threading

import pytest

from guard.screening.worker_pool import QueueFullError, WorkerPool
from tests.turns import turns


async def test_jobs_run_in_threads_of_the_pool() -> None:
    pool = WorkerPool("sums", 1, 4)
    names = await asyncio.gather(
        *(pool.run(lambda: threading.current_thread().name) for _ in "abc")
    )
    pool.close()

    assert set(names) == {"sums_0"}


async def test_a_jobs_error_is_the_callers() -> None:
    pool = WorkerPool("errors", 1, 1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda: 1 // 0)
    pool.close()


async def test_too_many_are_refused_at_once_until_one_has_ended() -> None:
    pool = WorkerPool("full", 1, 1)
    gate = threading.Event()
    jobs = [asyncio.create_task(pool.run(lambda: gate.wait(30))) for _ in range(2)]
    await turns()

    with pytest.raises(QueueFullError):
        await pool.run(lambda: True)
    gate.set()
    await asyncio.gather(*jobs)

    assert await pool.run(lambda: True)
    pool.close()


async def test_a_job_that_nobody_waits_for_keeps_its_slot_until_it_ends() -> None:
    pool = WorkerPool("left", 1, 0)
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await pool.run(lambda: gate.wait(30))
    with pytest.raises(QueueFullError):
        await pool.run(lambda: True)
    gate.set()
    while True:
        try:
            assert await pool.run(lambda: True)
            break
        except QueueFullError:
            await turns()
    pool.close()
