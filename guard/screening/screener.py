"""The screener: policies in, a verdict out; models compute in threads, servers are waited for."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import perf_counter

from guard.observability.metrics import Metrics
from guard.screening.budget.spending import Spending
from guard.screening.grouping import apart, asked_after, by_detector
from guard.screening.judging import failures, in_order, judge, judge_in_turn, remembered
from guard.screening.memory import Memory
from guard.screening.policy import Policy
from guard.screening.reading import Reading
from guard.screening.request import Request, asker, size_of
from guard.screening.score_cache import ScoreCache
from guard.screening.views.view import ViewLimits
from guard.screening.waiting import WaitingPolicies
from guard.screening.workers.pace import Paces
from guard.screening.workers.turn import Turn
from guard.screening.workers.worker_pool import QueueFullError, WorkerPool
from guard.terms.detector import Encoder
from guard.terms.item import Item, Side
from guard.terms.rendering import RenderingSource
from guard.terms.verdict import Finding, Verdict

# Longer requests are hashed in a screening thread: a megabyte takes a millisecond.
MOST_HASHED = 100_000
MOST_SHADOWED = 32 << 20
"""Characters and bytes of all requests that wait for shadow policies together."""


@dataclass(frozen=True, slots=True)
class Screening:
    """The verdict of the policies that act; `whole` brings that of all, once those in shadow have
    judged too (None: `verdict` is the whole one)."""

    verdict: Verdict
    whole: "asyncio.Task[Verdict] | None" = None


class Screener:
    """Judges the items of requests by an ordered list of policies.

    Models run in `threads` worker threads, where API keys take turns. At most `queue` requests wait
    for one; beyond that, and after `timeout` seconds, every policy's `on_error` decides, and the
    work ends. Detectors that wait for a server hold none of the threads. Shadow policies judge once
    the others have, in as many threads of their own with as long a queue: when they are slow or
    fail, nothing else does. What `cache` remembers is not scored again.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        encoder: Encoder | None,
        metrics: Metrics,
        *,
        threads: int = 1,
        queue: int = 256,
        timeout: float = 10.0,
        view_limits: ViewLimits | None = None,
        cache: ScoreCache | None = None,
        most_shadowed: int = MOST_SHADOWED,
    ) -> None:
        self.policies = tuple(policies)
        self._encoder = encoder
        self._metrics = metrics
        self._timeout = timeout
        self._view_limits = view_limits or ViewLimits()
        self._cache = cache
        self._paces = Paces()
        self._workers = WorkerPool("screening", threads, queue)
        self._shadow_workers = WorkerPool("shadow-screening", threads, queue)
        self._waiting = WaitingPolicies(queue, metrics)
        self._most_shadowed = most_shadowed
        self._shadowed = 0
        self._shadows: set[asyncio.Task[Verdict]] = set()
        for name, detector in {p.detector_name: p.detector for p in self.policies}.items():
            detector.listen(partial(metrics.requests_served.looked, name))

    async def screen(
        self,
        items: Sequence[Item],
        policies: Sequence[Policy] | None = None,
        owner: str = "",
        side: Side = "prompt",
    ) -> Verdict:
        """The verdict of all policies, those in shadow too: as `begin`, and waits for them."""
        screening = await self.begin(items, policies, owner, side)
        if screening.whole is None:
            return screening.verdict
        return await asyncio.shield(screening.whole)

    async def begin(
        self,
        items: Sequence[Item],
        policies: Sequence[Policy] | None = None,
        owner: str = "",
        side: Side = "prompt",
        *,
        counts: bool = True,
        rendering: RenderingSource | None = None,
        spending: Spending | None = None,
    ) -> Screening:
        """The verdict of `policies` (all of the side, unless told) on the items of one side.

        `rendering` is what they are joined by: the request as the model reads it. `owner` is the
        API key's name: what is remembered is found again by the same key only.
        Never raises for a detector's fault. Who stops waiting drops the policies in shadow, unless
        they have begun. Unless it `counts`, no metric holds the verdict. `spending` bounds what is
        read, and takes it down.
        """
        if policies is None:
            policies = tuple(policy for policy in self.policies if policy.side == side)
        if not policies or not items:
            return Screening(Verdict())
        started = perf_counter()
        spending, size = spending or Spending(), size_of(items)
        reading = self._read(items, owner, rendering, spending)
        is_hashed = self._cache is not None and size <= MOST_HASHED
        acting, shadows = apart(policies)
        found = remembered(acting, reading) if is_hashed else None
        request = Request(items, policies, owner, side, reading, spending, size, counts, rendering)
        if found is None:
            deadline = asyncio.get_running_loop().time() + self._timeout
            found = await self._findings(self._workers, acting, request, deadline)
        verdict = Verdict.of(found)
        if counts:
            self._metrics.screened(verdict, side, perf_counter() - started)
        if not shadows:
            return Screening(verdict)
        shadowed = remembered(shadows, reading) if is_hashed else None
        if shadowed is None:
            return self._with_shadows(request, verdict, found, shadows)
        return Screening(self._whole(request, found, shadowed))

    async def _findings(
        self, workers: WorkerPool, policies: Sequence[Policy], request: Request, deadline: float
    ) -> tuple[Finding, ...]:
        """One finding per policy, in order; those that another's score decides about come last."""
        first = [policy for policy in policies if policy.ask_if is None]
        found = await self._at_once(workers, first, request, deadline)
        if len(first) == len(policies):
            return found
        asked, spared = asked_after(policies, found)
        if any(finding.failure == "timeout" for finding in found):
            judged = failures(asked, "timeout")  # a thread may still be at the reading
        else:
            judged = await self._at_once(workers, asked, request, deadline)
        rest = (asked, judged), (spared, [policy.spared() for policy in spared])
        return in_order(policies, (first, found), *rest)

    async def _at_once(
        self, workers: WorkerPool, policies: Sequence[Policy], request: Request, deadline: float
    ) -> tuple[Finding, ...]:
        """One finding per policy, in order: models and servers judge at the same time."""
        groups = by_detector(policy for policy in policies if policy.detector.waits)
        if not groups:
            return await self._computed(workers, policies, request, deadline)
        computing = tuple(policy for policy in policies if not policy.detector.waits)
        found = await asyncio.gather(
            self._computed(workers, computing, request, deadline),
            *(
                self._waiting.judge(
                    group,
                    self._read(
                        request.items,
                        request.owner,
                        request.rendering,
                        request.spending,
                        defers=True,
                    ),
                    deadline,
                    request.asker,
                )
                for group in groups
            ),
        )
        return in_order(policies, *zip((computing, *groups), found, strict=True))

    async def _computed(
        self, workers: WorkerPool, policies: Sequence[Policy], request: Request, deadline: float
    ) -> tuple[Finding, ...]:
        if not policies:
            return ()
        try:
            async with asyncio.timeout_at(deadline):
                work = partial(judge_in_turn, policies, request.reading)
                return await workers.run(work, request.asker)
        except TimeoutError:
            return failures(policies, "timeout")
        except QueueFullError as full:
            return failures(policies, "own_share" if full.own_share else "overloaded")

    async def compute(
        self, work: Callable[[Turn], None], owner: str, items: Sequence[Item]
    ) -> None:
        """Do work beside screening, in the owner's turn; not where too much is pending."""
        with suppress(QueueFullError):
            await self._workers.run(work, asker(owner, size_of(items)))

    def _with_shadows(
        self,
        request: Request,
        verdict: Verdict,
        found: tuple[Finding, ...],
        shadows: Sequence[Policy],
    ) -> Screening:
        """The policies in shadow begin, unless too much waits for them already."""
        acting, _ = apart(request.policies)
        late = any(
            finding.failure == "timeout" and not policy.detector.waits
            for policy, finding in zip(acting, found, strict=True)
        )
        if late or self._shadowed + request.size > self._most_shadowed:
            # Of a late request a thread may still be at the reading.
            lost = failures(shadows, "timeout" if late else "overloaded")
            return Screening(self._whole(request, found, lost))
        self._shadowed += request.size
        task = asyncio.create_task(self._shadow(request, found, shadows))
        self._shadows.add(task)
        task.add_done_callback(self._shadows.discard)
        return Screening(verdict, task)

    async def _shadow(
        self, request: Request, found: tuple[Finding, ...], shadows: Sequence[Policy]
    ) -> Verdict:
        deadline = asyncio.get_running_loop().time() + self._timeout
        try:
            judged = await self._findings(self._shadow_workers, shadows, request, deadline)
        except asyncio.CancelledError:  # `finish` waits no longer: what became of it is told
            judged = failures(shadows, "overloaded")
        finally:
            self._shadowed -= request.size
        return self._whole(request, found, judged)

    def _whole(
        self, request: Request, found: tuple[Finding, ...], shadowed: tuple[Finding, ...]
    ) -> Verdict:
        acting, shadows = apart(request.policies)
        whole = Verdict.of(in_order(request.policies, (acting, found), (shadows, shadowed)))
        if request.counts:
            self._metrics.shadowed(whole, request.side)
        return whole

    def judge(self, items: Sequence[Item]) -> tuple[Finding, ...]:
        """One finding per policy, in order; blocking. The same code for proxy and tools."""
        if any(policy.detector.waits or policy.ask_if for policy in self.policies):
            verdict = asyncio.run(self._screened_alone(items))
            found = {finding.policy: finding for finding in (*verdict.findings, *verdict.passed)}
            return tuple(found[policy.name] for policy in self.policies)
        reading = self._read(items)
        judged = ((some, judge(some, reading)) for some in apart(self.policies))
        return in_order(self.policies, *judged)

    async def _screened_alone(self, items: Sequence[Item]) -> Verdict:
        """As `screen`, in an event loop that ends with it."""
        try:
            return await self.screen(items, self.policies)
        finally:
            for policy in self.policies:
                await policy.detector.disconnect()

    def _read(
        self,
        items: Sequence[Item],
        owner: str = "",
        rendering: RenderingSource | None = None,
        spending: Spending | None = None,
        *,
        defers: bool = False,
    ) -> Reading:
        memory = Memory(self._cache, owner) if self._cache is not None else None
        return Reading(
            items,
            self._encoder,
            self._view_limits,
            memory,
            rendering=rendering,
            defers=defers,
            paces=self._paces,
            spending=spending,
        )

    async def finish(self, within_s: float | None = None) -> None:
        """Wait for the policies in shadow, `within_s` seconds at most, and let the threads end."""
        if self._shadows:
            _, late = await asyncio.wait(self._shadows, timeout=within_s)
            for task in late:
                task.cancel()
            await asyncio.gather(*late)
        self.close()

    def close(self) -> None:
        """Let the threads end; waits for none of them."""
        self._workers.close()
        self._shadow_workers.close()
        self._waiting.close()
