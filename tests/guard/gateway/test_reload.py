"""Hot reload: a new configuration in service, a broken one refused, no request dropped."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from guard.gateway.reload import read
from guard.server.app import create_app
from guard.server.http_connection import HeadLimits, HttpConnection
from tests.fakes import DONE, FakeVLLM, chat_chunk
from tests.guard.conftest import CHAT, Rig, bearer, key_of
from tests.servers import serving

PATIENCE = 120
"""Seconds. Nothing here is about time, and client, proxy and model server share one thread."""
PATIENT = partial(HttpConnection, head_limits=HeadLimits(seconds=PATIENCE))
ADMIN = bearer("ops")
RELOAD = "/v1/guard/admin/reload"


@dataclass
class FileRig(Rig):
    """A rig whose configuration is a file."""

    file: Path

    def write(self, **changes: Any) -> None:
        """Change sections of the file."""
        content = yaml.safe_load(self.file.read_text())
        self.file.write_text(yaml.safe_dump({**content, **changes}))

    async def reload(self) -> httpx2.Response:
        """Ask the admin API to."""
        return await self.client.post(RELOAD, headers=ADMIN)

    async def blocks(self, text: str) -> bool:
        """Whether a prompt is blocked."""
        return (await self.chat(text)).status_code == 400

    async def metrics(self) -> str:
        """The exposition."""
        return (await self.client.get("/metrics")).text


def phrases(*words: str) -> dict[str, Any]:
    return {"words": {"kind": "phrases", "phrases": list(words)}}


@asynccontextmanager
async def file_rig(folder: Path, vllm: FakeVLLM) -> AsyncIterator[FileRig]:
    """Blocks the word "old"; its client's key may do everything."""
    async with serving(vllm) as upstream:
        content = {
            "upstream": {"url": upstream},
            "detectors": phrases("old"),
            "policies": [{"name": "stop", "detector": "words", "action": "block"}],
            "keys": [key_of("ops", "inference", "admin"), key_of("app")],
        }
        file = folder / "guard.yaml"
        file.write_text(yaml.safe_dump(content))
        app = create_app(*read(file), source=file)
        async with (
            serving(app, http=PATIENT) as url,
            httpx2.AsyncClient(base_url=url, timeout=PATIENCE, headers=ADMIN) as client,
        ):
            yield FileRig(client, vllm, file)


@pytest.fixture
async def rig(tmp_path: Path, vllm: FakeVLLM) -> AsyncIterator[FileRig]:
    async with file_rig(tmp_path, vllm) as made:
        yield made


async def test_a_reload_puts_new_policies_in_service(rig: FileRig) -> None:
    assert await rig.blocks("old")

    rig.write(detectors=phrases("new"))
    assert not await rig.blocks("new")
    answer = await rig.reload()

    assert answer.status_code == 200
    assert answer.json()["policies"][0]["name"] == "stop"
    assert await rig.blocks("new")
    assert not await rig.blocks("old")
    assert 'ecoguard_reloads_total{result="ok"} 1.0' in await rig.metrics()


async def test_keys_are_reloaded_too(rig: FileRig) -> None:
    rig.write(keys=[key_of("ops", "inference", "admin"), key_of("fresh")])
    await rig.reload()

    assert (await rig.chat("hi", headers=bearer("fresh"))).status_code == 200
    assert (await rig.chat("hi", headers=bearer("app"))).status_code == 401


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"detectors": {"words": {"kind": "phrases", "phrases": []}}}, "detectors.words"),
        ({"policies": [{"name": "x", "detector": "y", "action": "block"}]}, "no detector 'y'"),
        ({"surprise": 1}, "surprise: no such key"),
        ({"detectors": {"words": {"kind": "artifact", "path": "gone"}}}, "gone"),
        ({"listen": {"port": 9}}, "listen.port: changing it takes a restart"),
        ({"cors": {"allow_origins": ["https://a"]}}, "cors.allow_origins: changing it takes"),
        ({"store": {}}, "store: changing it takes a restart"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_what_is_broken_changes_nothing_and_is_explained(
    rig: FileRig, changes: dict[str, Any], told: str
) -> None:
    rig.write(**changes)

    answer = await rig.reload()

    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "reload_refused"
    assert told in error["message"]
    assert str(rig.file.parent) in error["message"]
    assert await rig.blocks("old")
    assert 'ecoguard_reloads_total{result="failed"} 1.0' in await rig.metrics()


async def test_a_broken_file_can_be_mended(rig: FileRig) -> None:
    whole = rig.file.read_text()
    rig.file.write_text(whole + "\n  - [")
    assert (await rig.reload()).status_code == 409

    rig.file.write_text(whole)

    assert (await rig.reload()).status_code == 200


async def test_requests_under_way_finish_on_the_old_parts(rig: FileRig) -> None:
    rig.vllm.hold = True
    waiting = asyncio.create_task(rig.chat("hello"))
    await rig.vllm.arrived.wait()

    other = FakeVLLM(answer={**rig.vllm.answer, "id": "chatcmpl-other"})
    async with serving(other) as url:
        rig.write(upstream={"url": url})
        assert (await rig.reload()).status_code == 200
        new = await rig.chat("hello")
        rig.vllm.gate.set()
        old = await waiting

    assert (new.json()["id"], old.json()["id"]) == ("chatcmpl-other", "chatcmpl-1")


async def test_a_stream_survives_reloads(rig: FileRig) -> None:
    rig.vllm.script = [chat_chunk("one "), None, chat_chunk("two", "stop"), DONE]
    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    async with rig.client.stream("POST", CHAT, json=body) as response:
        lines = response.aiter_lines()
        assert "one" in await anext(lines)
        for _ in range(3):
            assert (await rig.reload()).status_code == 200
        rig.vllm.gate.set()
        rest = "".join([line async for line in lines])

    assert "two" in rest
    assert "[DONE]" in rest


async def test_no_request_is_dropped_while_reloads_come_and_go(rig: FileRig) -> None:
    async def ask(number: int) -> int:
        return (await rig.chat(f"question {number}")).status_code

    async def reload_often() -> None:
        for number in range(10):
            rig.write(detectors=phrases("old", f"word{number}"))
            assert (await rig.reload()).status_code == 200

    reloads = asyncio.create_task(reload_often())
    statuses = await asyncio.gather(*(ask(number) for number in range(200)))
    await reloads

    assert set(statuses) == {200}


async def test_reloading_takes_the_scope_admin(rig: FileRig) -> None:
    for path, method in ((RELOAD, "POST"), ("/v1/guard/admin/status", "GET")):
        refused = await rig.client.request(method, path, headers=bearer("app"))
        unknown = await rig.client.request(method, path, headers=bearer("x"))
        assert (refused.status_code, unknown.status_code) == (403, 401)


async def test_hangup_reloads(rig: FileRig) -> None:
    rig.write(detectors=phrases("new"))

    os.kill(os.getpid(), signal.SIGHUP)

    async with asyncio.timeout(5):
        while not await rig.blocks("new"):
            pass


async def test_hangup_with_a_broken_file_changes_nothing(rig: FileRig) -> None:
    rig.write(surprise=1)

    os.kill(os.getpid(), signal.SIGHUP)

    async with asyncio.timeout(5):
        while 'ecoguard_reloads_total{result="failed"} 1.0' not in await rig.metrics():
            pass
    assert await rig.blocks("old")


@pytest.mark.parametrize("same", [True, False])
async def test_what_was_scored_is_known_after_a_reload(rig: FileRig, same: bool) -> None:
    """By the same detector; a changed one has scored nothing yet."""
    hits = 'ecoguard_screening_cache_total{kind="request",result="hit"}'
    await rig.chat("something harmless")
    rig.write(detectors=phrases("old" if same else "new"), limits={"screening_s": 9})
    await rig.reload()
    assert (await rig.chat("something harmless")).status_code == 200
    assert (f"{hits} 1.0" in await rig.metrics()) is same


async def test_a_smaller_cache_forgets(rig: FileRig) -> None:
    await rig.chat("something harmless")
    rig.write(limits={"screening_cache_bytes": 1})
    await rig.reload()
    await rig.chat("something harmless")
    assert 'ecoguard_screening_cache_total{kind="request",result="hit"}' not in await rig.metrics()
