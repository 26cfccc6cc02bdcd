"""Worker threads behind a bounded queue: where the event loop hands work over."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class QueueFullError(Exception):
    """More jobs wait than are allowed to."""


class WorkerPool:
    """Runs jobs in `threads` worker threads; at most `queue` more may wait for one.

    A thread cannot be killed: a job that nobody waits for any more keeps its slot until it ends,
    so overload shows as quick failures, not as a hang.
    """

    def __init__(self, name: str, threads: int, queue: int) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most_pending = threads + queue
        self._pending = 0

    async def run(self, job: Callable[[], T]) -> T:
        """What `job` returns; QueueFullError at once when too many are pending."""
        if self._pending >= self._most_pending:
            raise QueueFullError
        self._pending += 1
        loop = asyncio.get_running_loop()
        future = self._threads.submit(job)
        future.add_done_callback(lambda _: self._release(loop))
        return await asyncio.wrap_future(future)

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count a finished job off, from whichever thread it finished in."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_off)

    def _count_off(self) -> None:
        self._pending -= 1

    def close(self) -> None:
        """Let the threads end; waits for none of them."""
        self._threads.shutdown(wait=False, cancel_futures=True)
