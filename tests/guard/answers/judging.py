"""Guarded answers for tests: real policies over detectors of words."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from guard.answers.answers import Answers
from guard.answers.guarded_answer import GuardedAnswer
from guard.answers.guarded_stream import GuardedStream
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.settings import Release, Settings
from guard.terms.detector import Detector
from guard.terms.item import Call, Side
from guard.terms.verdict import Action, Verdict
from tests.fakes import WordDetector


@dataclass
class Notebook:
    """Takes down verdicts."""

    verdicts: list[Verdict] = field(default_factory=list)
    shadows: list[asyncio.Future[Verdict]] = field(default_factory=list)

    def screened(self, began_ns: int, side: Side, verdict: Verdict) -> None:
        assert began_ns
        assert side == "answer"
        self.verdicts.append(verdict)

    def await_shadows(
        self, judgement: asyncio.Future[Verdict], side: Side, acting: Verdict
    ) -> None:
        assert side == "answer"
        assert acting is self.verdicts[-1]
        self.shadows.append(judgement)


@dataclass
class Desk:
    """Guards answers to calls."""

    answers: Answers
    policies: Sequence[Policy]
    metrics: Metrics
    notes: Notebook = field(default_factory=Notebook)

    def guard(self, **body: Any) -> GuardedAnswer:
        """What guards the answer to a chat call."""
        guarded = self.answers.guard(chat_call(**body), self.policies, "", self.notes)
        assert guarded is not None
        return guarded

    async def stream(self, chunks: Sequence[bytes], **body: Any) -> bytes:
        """What goes to the client of a stream."""
        stream = GuardedStream(self.guard(**body))
        return b"".join([out async for out in stream.events(sent(chunks))])

    def sample(self, name: str, **labels: str) -> float | None:
        """A value of the metrics."""
        return self.metrics.registry.get_sample_value(name, labels)


async def sent(chunks: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Chunks as they come in."""
    for chunk in chunks:
        yield chunk


def chat_call(**body: Any) -> Call:
    """A parsed chat call."""
    return Call("chat", "/v1/chat/completions", body, "demo", stream=True, items=())


def policy(
    mode: Release = "hold", detector: Detector | None = None, name: str = "p", **said: Any
) -> Policy:
    """A policy for answers, by the word "attack" unless another detector is given."""
    fields = {"threshold": 0.5, "action": Action.BLOCK, "on_error": Action.BLOCK, **said}
    found = detector or WordDetector("attack")
    return Policy(name, "d", found, side="answer", mode=mode, **fields)


@contextmanager
def desk(*policies: Policy, **sections: Any) -> Iterator[Desk]:
    """A desk with these policies, or one that holds answers back for the word "attack"."""
    metrics = Metrics()
    chosen = policies or (policy(),)
    screener = Screener(chosen, None, metrics)
    settings = Settings.model_validate({"upstream": {"url": "http://x"}, **sections})
    try:
        yield Desk(Answers(settings, screener, metrics), chosen, metrics)
    finally:
        screener.close()
