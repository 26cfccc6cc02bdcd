"""The pool: results, bounded waiting, and slots that come back."""

import asyncio
import threading
from asyncio import Task

import pytest

from guard.screening.workers.turn import AbandonedError, Turn
from guard.screening.workers.worker_pool import ANYBODY, Asker, QueueFullError, WorkerPool
from tests.turns import turns


async def test_jobs_run_in_threads_of_the_pool() -> None:
    pool = WorkerPool("sums", 1, 4)
    names = await asyncio.gather(
        *(pool.run(lambda _: threading.current_thread().name) for _ in "abc")
    )
    pool.close()

    assert set(names) == {"sums_0"}


async def test_a_jobs_error_is_the_callers() -> None:
    pool = WorkerPool("errors", 1, 1)
    with pytest.raises(ZeroDivisionError):
        await pool.run(lambda _: 1 // 0)
    pool.close()


async def test_too_many_are_refused_at_once_until_one_has_ended() -> None:
    pool = WorkerPool("full", 1, 1)
    gate = threading.Event()
    jobs = [asyncio.create_task(pool.run(lambda _: gate.wait(30))) for _ in range(2)]
    await turns()

    with pytest.raises(QueueFullError) as full:
        await pool.run(lambda _: True)
    gate.set()
    await asyncio.gather(*jobs)
    assert not full.value.own_share  # nobody else waits

    assert await pool.run(lambda _: True)
    pool.close()


async def test_a_job_that_nobody_waits_for_keeps_its_slot_until_it_ends() -> None:
    pool = WorkerPool("left", 1, 0)
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await pool.run(lambda _: gate.wait(30))
    with pytest.raises(QueueFullError):
        await pool.run(lambda _: True)
    gate.set()
    while True:
        try:
            assert await pool.run(lambda _: True)
            break
        except QueueFullError:
            await turns()
    pool.close()


class Steps:
    """A job in steps that the test allows one by one; `taken` are the names of all that ran."""

    def __init__(self, name: str, steps: int, taken: list[str], held: int | None = None) -> None:
        self._name = name
        self._steps = steps
        self._taken = taken
        self._held = held
        self.began = threading.Event()
        self.gate = threading.Event()

    def __call__(self, turn: Turn) -> str:
        for step in range(self._steps):
            self._taken.append(self._name)
            if step == self._held:
                self.began.set()
                assert self.gate.wait(30)
            turn.pause()
        return self._name


class Tick:
    """A clock that goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 1
        return self._now


async def begun(pool: WorkerPool, work: Steps, asker: Asker = ANYBODY) -> Task[str]:
    """A job that has come to the step at which it is held."""
    job = asyncio.create_task(pool.run(work, asker))
    await asyncio.to_thread(work.began.wait, 30)
    return job


async def waiting(pool: WorkerPool, work: Steps, asker: Asker = ANYBODY) -> Task[str]:
    """A job that the pool has taken in beside one that it is at."""
    job = asyncio.create_task(pool.run(work, asker))
    await turns(2)
    return job


async def test_callers_take_turns_at_every_pause() -> None:
    pool = WorkerPool("turns", 1, 8, Tick())
    taken: list[str] = []
    first = Steps("long", 5, taken, held=0)
    jobs = [await begun(pool, first, Asker("hostile", 1))]
    jobs.append(await waiting(pool, Steps("short", 3, taken), Asker("shop", 1)))
    first.gate.set()

    assert await asyncio.gather(*jobs) == ["long", "short"]
    assert taken.index("short") < 3
    assert taken != sorted(taken)
    pool.close()


async def test_one_callers_short_job_passes_its_long_one() -> None:
    pool = WorkerPool("passing", 1, 8, Tick())
    taken: list[str] = []
    long = Steps("long", 4, taken, held=0)
    slow = await begun(pool, long, Asker("shop", 1000))
    quick = await waiting(pool, Steps("short", 2, taken), Asker("shop", 1))
    long.gate.set()
    await asyncio.gather(slow, quick)

    assert taken == ["long", "short", "short", "long", "long", "long"]
    pool.close()


async def test_work_that_nobody_waits_for_ends_at_its_next_pause() -> None:
    pool = WorkerPool("gone", 1, 0)
    taken: list[str] = []
    work = Steps("gone", 100, taken, held=2)
    job = await begun(pool, work)
    job.cancel()
    with pytest.raises(asyncio.CancelledError):
        await job
    work.gate.set()
    while True:
        try:
            assert await pool.run(lambda _: len(taken)) == 3
            break
        except QueueFullError:
            await turns()
    pool.close()


async def test_work_that_sleeps_at_a_pause_ends_when_nobody_waits_for_it() -> None:
    pool = WorkerPool("asleep", 1, 8, Tick())
    taken: list[str] = []
    first, second = Steps("a", 3, taken, held=0), Steps("b", 3, taken, held=0)
    slept = await begun(pool, first, Asker("a", 1))
    other = await waiting(pool, second, Asker("b", 1))
    first.gate.set()  # its pause gives the place to the second, which holds it
    await asyncio.to_thread(second.began.wait, 30)
    slept.cancel()
    with pytest.raises(asyncio.CancelledError):
        await slept
    second.gate.set()

    assert await other == "b"
    assert taken == ["a", "b", "b", "b"]
    pool.close()


async def test_a_job_that_never_began_is_dropped_when_nobody_waits_for_it() -> None:
    pool = WorkerPool("dropped", 1, 1)
    taken: list[str] = []
    first = Steps("first", 1, taken, held=0)
    running = await begun(pool, first)
    dropped = await waiting(pool, Steps("waiting", 1, taken))
    dropped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await dropped
    another = await waiting(pool, Steps("another", 1, taken))
    first.gate.set()
    await asyncio.gather(running, another)

    assert taken == ["first", "another"]
    pool.close()


async def test_in_a_full_queue_whoever_has_most_gives_way() -> None:
    pool = WorkerPool("crowded", 1, 2)
    taken: list[str] = []
    first = Steps("held", 1, taken, held=0)
    flood = [await begun(pool, first, Asker("flood", 1))]
    flood += [
        asyncio.create_task(pool.run(Steps(f"flood-{n}", 1, taken), Asker("flood", n)))
        for n in (1, 2)
    ]
    await turns(2)
    shop = await waiting(pool, Steps("shop", 1, taken), Asker("shop", 1))
    first.gate.set()

    assert await shop == "shop"
    found = await asyncio.gather(*flood, return_exceptions=True)
    assert found[:2] == ["held", "flood-1"]
    assert isinstance(found[2], QueueFullError)
    assert found[2].own_share
    pool.close()


async def test_what_is_under_way_when_the_pool_closes_ends() -> None:
    pool = WorkerPool("closing", 1, 2)
    taken: list[str] = []
    first = Steps("first", 3, taken, held=0)
    jobs = [await begun(pool, first)]
    jobs.append(await waiting(pool, Steps("second", 1, taken)))
    pool.close()
    first.gate.set()
    found = await asyncio.gather(*jobs, return_exceptions=True)

    assert [type(each) for each in found] == [AbandonedError, asyncio.CancelledError]
    assert taken == ["first"]
