"""Worker threads behind a bounded, fair queue: where the event loop hands work over."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from time import perf_counter
from typing import Any, NamedTuple, TypeVar

from guard.screening.workers.fair_queue import FairQueue
from guard.screening.workers.turn import AbandonedError, Turn

T = TypeVar("T")


class Asker(NamedTuple):
    """Who wants work done, and about how many seconds it takes."""

    caller: str = ""
    price: float = 0.0


ANYBODY = Asker()


class QueueFullError(Exception):
    """More jobs wait than are allowed to. `own_share` where others have jobs too, and the caller
    more than an equal part."""

    def __init__(self, *, own_share: bool = False) -> None:
        super().__init__()
        self.own_share = own_share


class WorkerPool:
    """Runs jobs, at most `threads` of them at a time; at most `queue` more may wait.

    Who is next follows from what each caller has cost (`fair_queue`). A job lets others go first,
    and ends early when nobody waits for it, wherever it says `pause`: a thread cannot be
    interrupted from outside. One that lets others go first keeps its thread, asleep.
    When the queue is full, the caller with most in it has to give way.
    """

    def __init__(
        self, name: str, threads: int, queue: int, clock: Callable[[], float] = perf_counter
    ) -> None:
        self._most_running = threads
        self._most_pending = threads + queue
        self._threads = ThreadPoolExecutor(self._most_pending, thread_name_prefix=name)
        self._clock = clock
        self._queue: FairQueue[_Job] = FairQueue()
        self._running = 0
        self._closed = False
        self._lock = threading.Lock()

    async def run(self, work: Callable[[Turn], T], asker: Asker = ANYBODY) -> T:
        """What `work` returns, which is given its turn.

        QueueFullError when too many are pending: at once, or later where another caller needs the
        room. Who stops waiting ends the work at its next pause.
        """
        job = _Job(self, work)
        self._begin(job, asker)
        try:
            result: T = await asyncio.wrap_future(job.future)
        except asyncio.CancelledError:
            self._abandon(job)
            raise
        return result

    def _begin(self, job: "_Job", asker: Asker) -> None:
        with self._lock:
            evicted, full = None, None
            if len(self._queue) >= self._most_pending:
                evicted = self._queue.crowding_out(asker.caller)
                loser = self._queue.caller_of(evicted) if evicted else asker.caller
                full = QueueFullError(own_share=self._queue.is_over_share(loser, asker.caller))
                if evicted is None:
                    raise full
            self._queue.add(job, asker.caller, asker.price)
            new = self._dispatched()
        if evicted is not None:
            self._abandon(evicted, full)
        self._start(new)

    def _dispatched(self) -> "list[_Job]":
        """Give free places away; the jobs among them that need a thread. Under the lock."""
        new = []
        while self._running < self._most_running and (job := self._queue.take()) is not None:
            self._running += 1
            job.holds_place, job.since = True, self._clock()
            if job.has_thread:
                job.go.set()
            else:
                job.has_thread = True
                new.append(job)
        return new

    def _start(self, jobs: "list[_Job]") -> None:
        for job in jobs:
            self._threads.submit(self._work, job)

    def _work(self, first: "_Job") -> None:
        """Run a job in this thread, and then others that have none yet."""
        job: _Job | None = first
        while job is not None:
            job.run()
            with self._lock:
                self._give_up_place(job)
                self._queue.remove(job)
                job.ended = True
                new = [] if self._closed else self._dispatched()
            job.tell()
            job = new.pop() if new else None
            self._start(new)

    def _give_up_place(self, job: "_Job") -> None:
        """Under the lock."""
        if job.holds_place:
            self._queue.charge(job, self._clock() - job.since)
            job.holds_place = False
            self._running -= 1

    def let_others(self, job: "_Job") -> None:
        """Returns when the job may go on; once it is abandoned, at once."""
        with self._lock:
            now = self._clock()
            self._queue.charge(job, now - job.since)
            job.since = now
            if job.abandoned or not self._queue.is_behind(job):
                return
            self._give_up_place(job)
            self._queue.put_back(job)
            new = self._dispatched()
        self._start(new)
        job.go.wait()
        job.go.clear()

    def _abandon(self, job: "_Job", error: Exception | None = None) -> None:
        """Nobody waits for the job any more: it ends now, or at its next pause."""
        with self._lock:
            if job.ended:
                return
            job.abandoned, job.error = True, error
            if job.has_thread:
                job.go.set()
                return
            self._queue.remove(job)
            job.ended = True
        job.tell()

    def close(self) -> None:
        """End what is under way at its next pause, and the threads; waits for none of them."""
        with self._lock:
            self._closed = True
        for job in self._queue.jobs:
            job.future.cancel()
            self._abandon(job)
        self._threads.shutdown(wait=False, cancel_futures=True)


class _Job:
    """Work on its way through the pool; it is its own turn."""

    def __init__(self, pool: WorkerPool, work: Callable[[Turn], Any]) -> None:
        self.future: Future[Any] = Future()
        self.go = threading.Event()
        self.since = 0.0
        self.holds_place = self.has_thread = self.abandoned = self.ended = False
        self.error: BaseException | None = None
        self._pool = pool
        self._work = work
        self._result: Any = None

    def pause(self) -> None:
        """As `Turn` says."""
        if not self.abandoned:
            self._pool.let_others(self)
        if self.abandoned:
            raise AbandonedError

    def run(self) -> None:
        """Do the work; what comes of it is kept until `tell`."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            self._result = self._work(self)
        except BaseException as error:
            self.error = self.error or error

    def tell(self) -> None:
        """Hand the result, or the error, to who waits; not while the pool's lock is held."""
        if self.future.cancelled():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self._result)
