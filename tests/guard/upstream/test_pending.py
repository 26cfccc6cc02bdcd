"""Pending requests over a scripted opening, and the proxy with them: only time tells them apart."""

import asyncio
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter
from guard.terms.detector import Detector, Features, Scores
from guard.terms.errors import UpstreamError
from guard.upstream.pending import PendingRequest
from tests.fakes import DONE, WordDetector, chat_chunk
from tests.guard.conftest import Rig, RigMaker
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint
from tests.turns import turns

MODELS = {"demo": {"path": "/nowhere"}}


@dataclass
class Opening:
    """Yields itself once its gate is open; notes how far it came."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    seen: list[str] = field(default_factory=list)
    error: Exception | None = None

    @asynccontextmanager
    async def send(self) -> AsyncIterator[Any]:
        self.seen.append("sent")
        try:
            await self.gate.wait()
            if self.error:
                raise self.error
            yield self
        finally:
            self.seen.append("closed")


async def until_idle() -> None:
    """What was to begin has begun: its handle has run, then its task."""
    await turns(2)


async def test_late_requests_are_sent_when_they_are_asked_for() -> None:
    opening = Opening()
    opening.gate.set()
    async with PendingRequest(opening.send(), early=False) as pending:
        await turns()
        assert not pending.begun
        assert await pending.reply() is opening  # type: ignore[comparison-overlap]
        assert opening.seen == ["sent"]
    assert opening.seen == ["sent", "closed"]


@pytest.mark.parametrize("early", [False, True])
async def test_what_nobody_asked_for_is_closed(early: bool) -> None:
    opening = Opening()
    async with PendingRequest(opening.send(), early=early) as pending:
        await until_idle()
        assert pending.begun is early
    assert opening.seen == (["sent", "closed"] if early else [])


async def test_a_verdict_that_is_there_at_once_sends_nothing() -> None:
    opening = Opening()
    async with PendingRequest(opening.send(), early=True) as pending:
        pass
    assert not pending.begun
    assert opening.seen == []


async def test_a_good_verdict_that_is_there_at_once_makes_no_task() -> None:
    opening = Opening()
    opening.gate.set()
    before = asyncio.all_tasks()
    async with PendingRequest(opening.send(), early=True) as pending:
        assert await pending.reply() is opening  # type: ignore[comparison-overlap]
        await until_idle()
        assert asyncio.all_tasks() == before
    assert opening.seen == ["sent", "closed"]


async def test_an_error_before_the_verdict_waits_for_it() -> None:
    opening = Opening(error=UpstreamError("lost"))
    opening.gate.set()
    async with PendingRequest(opening.send(), early=True) as pending:
        await until_idle()
        with pytest.raises(UpstreamError):
            await pending.reply()
    async with PendingRequest(opening.send(), early=True):
        await until_idle()  # and one that nobody asks for is no warning
    assert opening.seen == ["sent", "closed"] * 2


@dataclass
class GatedDetector(Detector):
    """Judges as a word detector does, once it is let go."""

    threshold: float = 0.5
    encoder: str | None = None
    version: str = ""
    gate: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        self.asked.set()
        self.gate.wait(10)
        return np.array([float("attack" in text) for text in texts], dtype=np.float32)


async def cancelled(rig: Rig) -> float:
    text = (await rig.client.get("/metrics")).text
    line = next(x for x in text.splitlines() if x.startswith("ecoguard_upstream_cancelled_total "))
    return float(line.split()[1])


@pytest.mark.parametrize("options", [{}, {"send_early": True}])
async def test_the_model_works_while_the_guard_does(
    make_rig: RigMaker, options: dict[str, Any]
) -> None:
    detector = GatedDetector()
    async with make_rig(("block", detector), upstream_options=options) as rig:
        task = asyncio.create_task(rig.chat("hello"))
        async with asyncio.timeout(5):
            await rig.vllm.arrived.wait()
        assert not task.done()
        detector.gate.set()
        assert (await task).json() == rig.vllm.answer
        assert len(rig.vllm.requests) == 1
        assert await cancelled(rig) == 0


@pytest.mark.parametrize(
    "sections",
    [
        {"upstream_options": {"send_early": False}},
        {"upstream_options": {}, "corruption": {"embed_all": True}},
    ],
)
async def test_nothing_is_sent_before_the_verdict_where_nothing_is_to_be(
    make_rig: RigMaker, sections: dict[str, Any]
) -> None:
    detector = GatedDetector()
    async with make_rig(("block", detector), **sections) as rig:
        task = asyncio.create_task(rig.chat("an attack"))
        assert await asyncio.to_thread(detector.asked.wait, 5)
        detector.gate.set()
        assert (await task).status_code == 400
        assert rig.vllm.requests == []
        assert await cancelled(rig) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_a_bad_verdict_cancels_and_releases_nothing(make_rig: RigMaker, stream: bool) -> None:
    detector = GatedDetector()
    async with make_rig(("block", detector), upstream_options={"send_early": True}) as rig:
        rig.vllm.hold = not stream
        rig.vllm.script = [chat_chunk("released"), None]
        task = asyncio.create_task(rig.chat("an attack", stream=stream))
        async with asyncio.timeout(5):
            await rig.vllm.arrived.wait()
            detector.gate.set()
            response = await task
            await rig.vllm.gone.wait()
        assert response.status_code == 400
        assert "released" not in response.text
        assert await cancelled(rig) == 1


SCENARIOS: dict[str, dict[str, Any]] = {
    "allowed": {"text": "hello"},
    "flagged": {"text": "the odd one"},
    "blocked": {"text": "an attack"},
    "blocked stream": {"text": "an attack", "stream": True},
    "corrupted": {"text": "the secret words"},
    "stream": {"text": "hello", "stream": True, "script": [chat_chunk("one"), DONE]},
    "torso": {"text": "hello", "stream": True, "script": [chat_chunk("one"), "die"]},
    "refused by the model": {"text": "hello", "status": 400},
    "broken model": {"text": "hello", "status": 500},
    "broken model, blocked": {"text": "an attack", "status": 500},
}


@pytest.mark.parametrize("name", SCENARIOS)
async def test_both_ways_answer_alike(make_rig: RigMaker, name: str, tmp_path: Path) -> None:
    folder = write_checkpoint(tmp_path / "model", random_rows(300, 8, np.dtype(np.float32)))
    embedder = PromptEmbedder.open(folder, key=b"k", max_tokens=64)
    rewriter = Rewriter({"demo": embedder}, Corruption("rand_noise_first_n", 1, 50.0), key=b"k")
    policies = [
        *(("block", WordDetector("attack")), ("flag", WordDetector("odd"))),
        ("corrupt", WordDetector("secret")),
    ]
    answers = []
    for early in (False, True):
        async with make_rig(
            *policies, rewriter=rewriter, models=MODELS, upstream_options={"send_early": early}
        ) as rig:
            answers.append(_told(await _ask(rig, **SCENARIOS[name])))
            last = rig.vllm.requests[-1:] if "blocked" not in name else []
            answers[-1]["last upstream"] = last
    assert answers[0] == answers[1]


async def _ask(
    rig: Rig,
    text: str,
    *,
    stream: bool = False,
    status: int = 200,
    script: Sequence[bytes | str | None] = (),
) -> httpx2.Response:
    rig.vllm.status, rig.vllm.script = status, list(script)
    return await rig.chat(text, stream=stream)


def _told(response: httpx2.Response) -> dict[str, Any]:
    """Everything of an answer but what no two answers share."""
    unlike = ("x-request-id", "request-id", "date")
    headers = {k: v for k, v in response.headers.items() if k not in unlike}
    return {"status": response.status_code, "headers": headers, "body": response.text}
