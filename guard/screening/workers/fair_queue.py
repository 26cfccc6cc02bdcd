"""Who is served next: callers take turns by what they have cost, not by when they came.

Between callers it is start-time fair queueing (Goyal, Vin, Cheng 1996): whoever has had least is
next, and who was away is owed nothing. Among one caller's own requests the one goes first that
would end first if all of them advanced together (weighted fair queueing): a short one passes a
long one, like ones keep their order, and none waits for ever. Times are in seconds.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from itertools import count
from typing import Generic, TypeVar

Job = TypeVar("Job", bound=Hashable)


@dataclass(slots=True)
class _Caller(Generic[Job]):
    """What one caller has had (`served`), and how far each of its requests would be by now if all
    had advanced together (`clock`)."""

    name: str
    served: float
    clock: float = 0.0
    jobs: set[Job] = field(default_factory=set)
    waiting: list[tuple[float, int, Job]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Ticket(Generic[Job]):
    caller: _Caller[Job]
    tag: float
    number: int


class FairQueue(Generic[Job]):
    """The jobs that wait and those that run; not for two threads at a time.

    A caller without jobs is forgotten, so memory follows what is under way.
    """

    def __init__(self) -> None:
        self._callers: dict[str, _Caller[Job]] = {}
        self._tickets: dict[Job, _Ticket[Job]] = {}
        self._numbers = count()
        self._now = 0.0

    def __len__(self) -> int:
        """How many jobs there are, waiting or running."""
        return len(self._tickets)

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All of them."""
        return tuple(self._tickets)

    def add(self, job: Job, caller: str, price: float) -> None:
        """A new job waits; `price` is about how many seconds it takes."""
        found = self._callers.get(caller)
        if found is None:
            found = self._callers[caller] = _Caller(caller, self._now)
        found.jobs.add(job)
        self._tickets[job] = _Ticket(found, found.clock + price, next(self._numbers))
        self.put_back(job)

    def put_back(self, job: Job) -> None:
        """A job waits again that was taken."""
        ticket = self._tickets[job]
        heappush(ticket.caller.waiting, (ticket.tag, ticket.number, job))

    def take(self) -> Job | None:
        """The job that is next, which waits no longer."""
        caller = self._first()
        if caller is None:
            return None
        self._now = max(self._now, caller.served)
        return heappop(caller.waiting)[2]

    def is_behind(self, job: Job) -> bool:
        """Whether some job that waits should go before this one, which runs."""
        first, own = self._first(), self._tickets[job]
        if first is None:
            return False
        if first is own.caller:
            return first.waiting[0][:2] < (own.tag, own.number)
        return first.served < own.caller.served

    def charge(self, job: Job, seconds: float) -> None:
        """A job that runs has taken so long."""
        caller = self._tickets[job].caller
        caller.served += seconds
        caller.clock += seconds / len(caller.jobs)

    def remove(self, job: Job) -> None:
        """A job has ended, or nobody wants it any more."""
        caller = self._tickets.pop(job).caller
        caller.jobs.discard(job)
        if not caller.jobs:
            del self._callers[caller.name]
            return
        rest = [entry for entry in caller.waiting if entry[2] != job]
        if len(rest) < len(caller.waiting):
            caller.waiting = rest
            heapify(caller.waiting)

    def crowding_out(self, caller: str) -> Job | None:
        """The job to give up for a new one of `caller`: the last that waits of whoever has most
        jobs; None where that is the caller itself."""
        own = self._callers.get(caller)
        crowded = [other for other in self._callers.values() if other.waiting]
        most = max(crowded, key=lambda other: len(other.jobs), default=None)
        if most is None or len(most.jobs) <= (len(own.jobs) if own else 0) + 1:
            return None
        return max(most.waiting)[2]

    def caller_of(self, job: Job) -> str:
        """Whose job it is."""
        return self._tickets[job].caller.name

    def is_over_share(self, caller: str, newcomer: str) -> bool:
        """Whether a caller would have more than an equal part of all jobs, with one more of
        `newcomer`'s; never where it is alone."""
        own = self._callers.get(caller)
        jobs = (len(own.jobs) if own else 0) + (caller == newcomer)
        return jobs * len(self._callers.keys() | {newcomer}) > len(self) + 1

    def _first(self) -> _Caller[Job] | None:
        waiting = [caller for caller in self._callers.values() if caller.waiting]
        return min(waiting, key=lambda caller: caller.served, default=None)
