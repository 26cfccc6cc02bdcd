"""The screener: the one place where the event loop hands work to threads, for a verdict."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np

from guard.detectors.contract import Features, Scores, WindowedEncoder
from guard.errors import DetectorError
from guard.operations.metrics import Metrics
from guard.screening.pieces import Pieces, joined_pieces, own_pieces
from guard.screening.policy import Policy
from guard.screening.verdict import Finding, Verdict
from guard.screening.views import ViewLimits
from guard.wire.call import TextSpan

logger = logging.getLogger(__name__)


class Screener:
    """Judges the texts of requests by an ordered list of policies.

    Detectors run in `threads` worker threads. At most `queue` requests wait for one; beyond that,
    and after `timeout` seconds, every policy's `on_error` decides. A thread cannot be killed: a
    detector that hangs keeps its slot, so overload shows as quick failures, not as a hang.
    """

    def __init__(
        self,
        policies: Sequence[Policy],
        encoder: WindowedEncoder | None,
        metrics: Metrics,
        *,
        threads: int = 1,
        queue: int = 256,
        timeout: float = 10.0,
        view_limits: ViewLimits | None = None,
    ) -> None:
        self.policies = tuple(policies)
        self._encoder = encoder
        self._reads_features = any(p.detector.encoder is not None for p in self.policies)
        self._metrics = metrics
        self._timeout = timeout
        self._most_pending = threads + queue
        self._pending = 0
        self._view_limits = view_limits or ViewLimits()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="screening")

    async def screen(self, spans: Sequence[TextSpan]) -> Verdict:
        """The verdict on a request's texts; never raises for a detector's fault."""
        if not self.policies or not spans:
            return Verdict()
        started = perf_counter()
        findings = await self._findings(spans)
        self._metrics.screened(findings, perf_counter() - started)
        return Verdict(tuple(f for f in findings if f.spans or f.failed))

    async def _findings(self, spans: Sequence[TextSpan]) -> tuple[Finding, ...]:
        if self._pending >= self._most_pending:
            return self._failures("screening queue is full")
        self._pending += 1
        loop = asyncio.get_running_loop()
        future = self._threads.submit(self.judge, spans)
        future.add_done_callback(lambda _: self._release(loop))
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            return self._failures("screening timed out")

    def _release(self, loop: asyncio.AbstractEventLoop) -> None:
        """Count a finished job off, from whichever thread it finished in."""
        if not loop.is_closed():
            loop.call_soon_threadsafe(self._count_off)

    def _count_off(self) -> None:
        self._pending -= 1

    def judge(self, spans: Sequence[TextSpan]) -> tuple[Finding, ...]:
        """One finding per policy, in order; blocking. The same code for proxy and tools."""
        own = self._fitted(own_pieces(spans, self._view_limits))
        joined = self._fitted(joined_pieces(spans, self._view_limits))
        features = self._features((*own.texts, *joined.texts))
        found = []
        for policy in self.policies:
            try:
                found.append(self._judge(policy, spans, own, joined, features))
            except Exception as error:
                # A detector is a plug-in: whatever it raises, the policy's on_error decides. The
                # error's text could quote a prompt: only its type is logged.
                reason = type(error).__name__
                logger.error("detector of policy %s failed: %s", policy.name, reason)
                found.append(policy.failure())
        return tuple(found)

    def _judge(
        self,
        policy: Policy,
        spans: Sequence[TextSpan],
        own: Pieces,
        joined: Pieces,
        features: Features | None,
    ) -> Finding:
        scores = _scores(policy, (*own.texts, *joined.texts), features)
        count, border = len(spans), len(own.texts)
        by_span = own.span_scores(scores[:border], count)
        by_turns = joined.span_scores(scores[border:], count)
        fired = np.flatnonzero(by_span >= policy.threshold)
        if fired.size and by_turns.max(initial=0) >= policy.threshold:
            fired_spans = set(fired.tolist())
            rest = self._fitted(joined_pieces(spans, self._view_limits, without=fired_spans))
            rest_scores = _scores(policy, rest.texts, self._features(rest.texts))
            by_turns = rest.span_scores(rest_scores, count)
        return policy.judge(np.maximum(by_span, by_turns).tolist())

    def _fitted(self, pieces: Pieces) -> Pieces:
        if self._encoder is None or not self._reads_features:
            return pieces
        return pieces.fitted(self._encoder)

    def _features(self, texts: tuple[str, ...]) -> Features | None:
        """Features of texts, or None when no policy reads them or the encoder failed."""
        if self._encoder is None or not self._reads_features or not texts:
            return None
        try:
            return self._encoder.encode(texts)
        except Exception as error:
            logger.error("encoder failed: %s", type(error).__name__)
            return None

    def _failures(self, reason: str) -> tuple[Finding, ...]:
        logger.error(reason)
        return tuple(policy.failure() for policy in self.policies)

    def close(self) -> None:
        """Let the threads end; waits for none of them."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _scores(policy: Policy, texts: tuple[str, ...], features: Features | None) -> Scores:
    """A detector's scores; raises DetectorError where its features are missing."""
    if not texts:
        return np.zeros(0, dtype=np.float32)
    if policy.detector.encoder is not None and features is None:
        raise DetectorError("no features")
    return policy.detector.score(texts, features)
