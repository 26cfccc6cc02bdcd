"""The stage, once for all drills; each finds it whole."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from lab.drills.rig import KEY, Rig, staged
from tests import redis_server

CHAT = "/v1/chat/completions"


@dataclass
class Drill:
    """The stage, and a client of its proxy."""

    rig: Rig
    client: httpx2.AsyncClient

    async def ask(self, text: str = "hello", **extra: Any) -> httpx2.Response:
        """Ask one user message; the answer, whole."""
        messages = [{"role": "user", "content": text}]
        return await self.client.post(CHAT, json={"model": "demo", "messages": messages, **extra})

    async def metric(self, name: str) -> float:
        """The sum over a metric's series."""
        lines = (await self.client.get("/metrics")).text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@pytest.fixture(scope="package")
def redis() -> Iterator[redis_server.RedisServer]:
    with redis_server.running() as server:
        yield server


@pytest.fixture(scope="package")
def stage(
    tmp_path_factory: pytest.TempPathFactory, redis: redis_server.RedisServer
) -> Iterator[Rig]:
    shared = {"url": redis.url, "timeout_s": 0.2, "retry_s": 0.1}
    limits = {"screening_s": 1.5, "per_key": {"requests_per_minute": 100_000}}
    with staged(tmp_path_factory.mktemp("drills"), {"redis": shared, "limits": limits}) as rig:
        yield rig


@pytest.fixture
async def drill(stage: Rig) -> AsyncIterator[Drill]:
    """All processes run and behave; afterwards nothing was let through."""
    for server in stage.servers:
        if not server.is_running:
            server.start()
    stage.order("ok")
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(base_url=stage.proxy.url, timeout=20, headers=headers) as client:
        made = Drill(stage, client)
        while (await made.ask()).status_code != 200:
            pass  # the last drill's breaker is still open
        yield made
    assert stage.unscreened == 0
