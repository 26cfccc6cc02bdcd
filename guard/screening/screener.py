"""The screener: policies in, a verdict out; the detectors run in threads."""

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from time import perf_counter, time_ns

from guard.observability.metrics import Metrics
from guard.screening.memory import Memory
from guard.screening.policy import Policy
from guard.screening.reading import Reading
from guard.screening.score_cache import ScoreCache
from guard.screening.views.view import ViewLimits
from guard.screening.worker_pool import Lane, QueueFullError
from guard.terms.detector import Encoder
from guard.terms.item import Item
from guard.terms.verdict import Finding, Verdict

logger = logging.getLogger(__name__)

# Longer requests are hashed in a screening thread: a megabyte takes a millisecond.
MOST_HASHED_CHARACTERS = 100_000


class Screener:
    """Judges the texts of requests by an ordered list of policies.

    Detectors run in `threads` worker threads. At most `queue` requests wait for one; beyond that,
    and after `timeout` seconds, every policy's `on_error` decides. Shadow policies come after the
    others and have as many threads and as long a queue of their own: when they are slow or fail,
    nothing else does. `cache_bytes` bound the scores that are remembered; 0 remembers none.
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
        cache_bytes: int = 0,
    ) -> None:
        self.policies = tuple(policies)
        self._encoder = encoder
        self._metrics = metrics
        self._timeout = timeout
        self._view_limits = view_limits or ViewLimits()
        self._cache = ScoreCache(cache_bytes, metrics) if cache_bytes else None
        self._lane = Lane("screening", threads, queue)
        self._shadow_lane = Lane("shadow-screening", threads, queue)
        for name, detector in {p.detector_name: p.detector for p in self.policies}.items():
            detector.listen(partial(metrics.requests_served.looked, name))

    async def screen(
        self,
        items: Sequence[Item],
        policies: Sequence[Policy] | None = None,
        owner: str = "",
    ) -> Verdict:
        """The verdict of `policies` (all, unless told) on a request's texts.

        `owner` is the API key's name: what is remembered is found again by the same key only.
        Never raises for a detector's fault.
        """
        chosen = self.policies if policies is None else policies
        if not chosen or not items:
            return Verdict()
        started = perf_counter()
        deadline = asyncio.get_running_loop().time() + self._timeout
        reading = self._read(items, owner)
        verdict = _remembered(chosen, reading) if self._is_hashed_at_once(items) else None
        if verdict is None:
            acting, shadows = _apart(chosen)
            found = await self._findings(self._lane, acting, reading, deadline)
            shadowed = await self._findings(self._shadow_lane, shadows, reading, deadline)
            verdict = Verdict.of(_in_order(chosen, found, shadowed))
        self._metrics.screened(verdict, perf_counter() - started)
        return verdict

    async def _findings(
        self, lane: Lane, policies: Sequence[Policy], reading: Reading, deadline: float
    ) -> tuple[Finding, ...]:
        if not policies:
            return ()
        if asyncio.get_running_loop().time() >= deadline:  # a thread may still be at the reading
            return _failures(policies, "screening timed out")
        try:
            async with asyncio.timeout_at(deadline):
                return await lane.run(lambda: _judge(policies, reading))
        except TimeoutError:
            return _failures(policies, "screening timed out")
        except QueueFullError:
            return _failures(policies, "screening queue is full")

    def judge(self, items: Sequence[Item]) -> tuple[Finding, ...]:
        """One finding per policy, in order; blocking. The same code for proxy and tools."""
        reading = self._read(items)
        acting, shadows = _apart(self.policies)
        return _in_order(self.policies, _judge(acting, reading), _judge(shadows, reading))

    def _read(self, items: Sequence[Item], owner: str = "") -> Reading:
        memory = Memory(self._cache, owner) if self._cache is not None else None
        return Reading(items, self._encoder, self._view_limits, memory)

    def _is_hashed_at_once(self, items: Sequence[Item]) -> bool:
        """Whether a look into the cache is worth it here, without the way to a thread."""
        if self._cache is None:
            return False
        return sum(len(item.text) for item in items) <= MOST_HASHED_CHARACTERS

    def close(self) -> None:
        """Let the threads end; waits for none of them."""
        self._lane.close()
        self._shadow_lane.close()


def _apart(policies: Sequence[Policy]) -> tuple[tuple[Policy, ...], tuple[Policy, ...]]:
    """The policies that act, and those in shadow."""
    return tuple(p for p in policies if not p.shadow), tuple(p for p in policies if p.shadow)


def _in_order(
    policies: Sequence[Policy], acting: Sequence[Finding], shadows: Sequence[Finding]
) -> tuple[Finding, ...]:
    """The findings in the order of `policies`."""
    kinds = {False: iter(acting), True: iter(shadows)}
    return tuple(next(kinds[policy.shadow]) for policy in policies)


def _remembered(policies: Sequence[Policy], reading: Reading) -> Verdict | None:
    """The verdict on a request that all the policies have judged before, else None."""
    findings = []
    for policy in policies:
        asked = policy.detector, policy.threshold, policy.authors
        scores = reading.known_scores(*asked)
        if scores is None:
            return None
        findings.append(policy.judge(scores.tolist(), 0, partial(reading.subjects, *asked)))
    return Verdict.of(findings)


def _judge(policies: Sequence[Policy], reading: Reading) -> tuple[Finding, ...]:
    """One finding per policy, in order; detectors that give the encoder's features read first."""
    order = sorted(policies, key=lambda policy: not reading.gives_features(policy.detector))
    found = {id(policy): _finding(policy, reading) for policy in order}
    return tuple(found[id(policy)] for policy in policies)


def _finding(policy: Policy, reading: Reading) -> Finding:
    began = time_ns()
    try:
        asked = policy.detector, policy.threshold, policy.authors
        scores = reading.item_scores(*asked).tolist()
        return policy.judge(scores, began, partial(reading.subjects, *asked))
    except Exception as error:
        # A detector is a plug-in: whatever it raises, the policy's on_error decides. The error's
        # text could quote a prompt: only its type is logged.
        reason = type(error).__name__
        logger.error("detector of policy %s failed: %s", policy.name, reason)
        return policy.failure()


def _failures(policies: Sequence[Policy], reason: str) -> tuple[Finding, ...]:
    logger.error(reason)
    return tuple(policy.failure() for policy in policies)
