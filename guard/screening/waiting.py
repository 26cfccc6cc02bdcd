"""Detectors that wait for a server: asked on the event loop, each with a bound of its own.

What a detector wants to know of a request is found by a reading of its own, in a thread that
cuts texts and computes no scores. While the server thinks, no thread is held.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from guard.observability.metrics import Metrics
from guard.screening.judging import failed, failures, judge_in_turn
from guard.screening.policy import Policy
from guard.screening.reading import Reading
from guard.screening.wanted import WantedError
from guard.screening.workers.worker_pool import Asker, QueueFullError, WorkerPool
from guard.terms.conversation import Asked
from guard.terms.detector import Detector, Scores
from guard.terms.errors import DetectorError, DetectorFault
from guard.terms.verdict import Finding


class Questions:
    """One detector's requests: `most_questions` are with its server, `queue` more may wait."""

    def __init__(self, detector: Detector, queue: int) -> None:
        self._free = asyncio.Semaphore(detector.most_questions)
        self._most_pending = detector.most_questions + queue
        self._pending = 0

    @contextmanager
    def admitted(self) -> Iterator[None]:
        """Holds for one request; QueueFullError at once when too many are pending."""
        if self._pending >= self._most_pending:
            raise QueueFullError
        self._pending += 1
        try:
            yield
        finally:
            self._pending -= 1

    async def ask(self, detector: Detector, contents: Sequence[Asked]) -> Scores:
        """The detector's numbers, shape (n,), of n texts, pictures or last turns.

        Raises TimeoutError where it takes longer than the detector allows, and whatever the
        detector raises.
        """
        async with asyncio.timeout(detector.timeout_s), self._free:
            return await detector.ask(contents)


class WaitingPolicies:
    """Judges by detectors that wait; used inside one event loop."""

    def __init__(self, queue: int, metrics: Metrics) -> None:
        self._queue = queue
        self._metrics = metrics
        self._questions: dict[int, Questions] = {}  # by the identity of detectors that last
        # Bounded by what is admitted: who has an answer must not fail for a place in a queue.
        self._cutting = WorkerPool("cutting", 1, sys.maxsize)

    async def judge(
        self, policies: Sequence[Policy], reading: Reading, deadline: float, asker: Asker
    ) -> tuple[Finding, ...]:
        """One finding per policy of one detector; its failure is a failed finding, never raised.

        `reading` is nobody else's, and defers.
        """
        questions = self._questions_of(policies[0].detector)
        try:
            with questions.admitted():
                async with asyncio.timeout_at(deadline):
                    return await self._judged(policies, reading, questions, asker)
        except TimeoutError as error:
            self._count(policies[0], error.cause if isinstance(error, DetectorError) else "timeout")
            return failures(policies, "timeout")
        except QueueFullError as full:
            self._count(policies[0], "overloaded")
            return failures(policies, "own_share" if full.own_share else "overloaded")
        except Exception as error:
            self._count(policies[0], error.cause if isinstance(error, DetectorError) else "failed")
            return tuple(failed(policy, error) for policy in policies)

    def _count(self, policy: Policy, cause: DetectorFault) -> None:
        self._metrics.detector_failures.labels(policy.detector_name, cause).inc()

    async def _judged(
        self, policies: Sequence[Policy], reading: Reading, questions: Questions, asker: Asker
    ) -> tuple[Finding, ...]:
        while True:
            try:
                return await self._cutting.run(partial(judge_in_turn, policies, reading), asker)
            except WantedError as wanted:
                answered = await questions.ask(wanted.detector, wanted.contents)
                reading.tell(wanted, answered)

    def _questions_of(self, detector: Detector) -> Questions:
        asking = detector.asks_as  # not one of a single request: its identity is used again
        if id(asking) not in self._questions:
            self._questions[id(asking)] = Questions(asking, self._queue)
        return self._questions[id(asking)]

    def close(self) -> None:
        """Let the thread end; waits for nothing."""
        self._cutting.close()
