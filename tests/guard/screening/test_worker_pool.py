"""The lane: results, bounded waiting, and slots that come back."""

import asyncio
import threading

import pytest

from guard.screening.worker_pool import Lane, QueueFullError
from tests.turns import turns


async def test_jobs_run_in_threads_of_the_lane() -> None:
    lane = Lane("sums", 1, 4)
    names = await asyncio.gather(
        *(lane.run(lambda: threading.current_thread().name) for _ in "abc")
    )
    lane.close()

    assert set(names) == {"sums_0"}


async def test_a_jobs_error_is_the_callers() -> None:
    lane = Lane("errors", 1, 1)
    with pytest.raises(ZeroDivisionError):
        await lane.run(lambda: 1 // 0)
    lane.close()


async def test_too_many_are_refused_at_once_until_one_has_ended() -> None:
    lane = Lane("full", 1, 1)
    gate = threading.Event()
    jobs = [asyncio.create_task(lane.run(lambda: gate.wait(30))) for _ in range(2)]
    await turns()

    with pytest.raises(QueueFullError):
        await lane.run(lambda: True)
    gate.set()
    await asyncio.gather(*jobs)

    assert await lane.run(lambda: True)
    lane.close()


async def test_a_job_that_nobody_waits_for_keeps_its_slot_until_it_ends() -> None:
    lane = Lane("left", 1, 0)
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await lane.run(lambda: gate.wait(30))
    with pytest.raises(QueueFullError):
        await lane.run(lambda: True)
    gate.set()
    while True:
        try:
            assert await lane.run(lambda: True)
            break
        except QueueFullError:
            await turns()
    lane.close()
