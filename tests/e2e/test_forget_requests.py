"""Forget requests come, change and go while a live proxy answers: no restart, nothing dropped."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from guard.artifacts.folder import read, write
from guard.artifacts.manifest import draft
from guard.commands.requests import requests_app
from guard.gateway.reload import read as read_settings
from guard.server.app import create_app
from tests.encoders import tiny_artifact
from tests.fakes import DONE, FakeVLLM, chat_chunk
from tests.guard.conftest import CHAT, Rig
from tests.servers import serving

PATIENCE_S = 20
RELOAD_S = 0.05
VARNHOLT, TANDRUP = "Where was Ilse Varnholt born?", "Where was Orvo Tandrup born?"


class LiveRig(Rig):
    """A proxy that watches a folder of requests, and blocks what they name."""

    folder: Path

    async def blocks(self, text: str) -> bool:
        """Whether a prompt is blocked; anything but that and an answer is an error."""
        status = (await self.chat(text)).status_code
        assert status in (200, 400)
        return status == 400

    async def until(self, text: str, blocked: bool) -> None:
        """Ask until the proxy has seen the change."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.blocks(text) is not blocked:
                pass

    def run(self, *arguments: str) -> None:
        """An `ecoguard requests` command beside the proxy."""
        config = str(self.folder / "guard.yaml")
        result = CliRunner().invoke(requests_app, [*arguments, "--config", config])
        assert result.exit_code == 0, result.output


def artifact(folder: Path, person: str) -> Path:
    """What a trained request is to the proxy: here, it knows a name."""
    encoder = read(tiny_artifact()).manifest
    width = int(str(encoder.recipe["width"]))
    write(
        folder,
        draft(
            "forget",
            folder.name,
            encoder=encoder.digest,
            thresholds={"score": 0.5},
        ),
        tensors={"weight": np.zeros(width, np.float32), "bias": np.full(1, -20, np.float32)},
        files={"names.json": f'["{person}"]'.encode()},
    )
    return folder


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[LiveRig]:
    vllm = FakeVLLM()
    (tmp_path / "requests").mkdir()
    source = {"kind": "forget-requests", "path": str(tmp_path / "requests"), "reload_s": RELOAD_S}
    async with serving(vllm) as upstream:
        content: dict[str, Any] = {
            "upstream": {"url": upstream},
            "encoder": {"path": str(tiny_artifact())},
            "detectors": {"people": source},
            "policies": [{"name": "people", "detector": "people", "action": "block"}],
        }
        file = tmp_path / "guard.yaml"
        file.write_text(yaml.safe_dump(content))
        proxy = create_app(*read_settings(file), source=file)
        async with serving(proxy) as url, httpx2.AsyncClient(base_url=url, timeout=10) as client:
            made = LiveRig(client, vllm)
            made.folder = tmp_path
            yield made


async def test_added_replaced_and_withdrawn_one_at_a_time(rig: LiveRig) -> None:
    assert not await rig.blocks(VARNHOLT)

    rig.run("add", str(artifact(rig.folder / "first", "Ilse Varnholt")), "--name", "one")
    await rig.until(VARNHOLT, blocked=True)
    assert not await rig.blocks(TANDRUP)

    rig.run("add", str(artifact(rig.folder / "second", "Orvo Tandrup")), "--name", "two")
    await rig.until(TANDRUP, blocked=True)
    assert await rig.blocks(VARNHOLT)

    rig.run("add", str(artifact(rig.folder / "third", "Pia Sorel")), "--name", "one")
    await rig.until(VARNHOLT, blocked=False)
    assert await rig.blocks("Who is Pia Sorel?")
    assert await rig.blocks(TANDRUP)

    rig.run("withdraw", "two")
    await rig.until(TANDRUP, blocked=False)
    assert await rig.blocks("Who is Pia Sorel?")


async def test_an_answer_under_way_goes_on_and_others_keep_being_judged(rig: LiveRig) -> None:
    artifact(rig.folder / "requests" / "one", "Ilse Varnholt")
    await rig.until(VARNHOLT, blocked=True)
    rig.vllm.script = [chat_chunk("one "), None, chat_chunk("two", "stop"), DONE]
    body = {"model": "demo", "stream": True, "messages": [{"role": "user", "content": TANDRUP}]}
    async with rig.client.stream("POST", CHAT, json=body) as response:
        lines = response.aiter_lines()
        assert "one" in await anext(lines)
        artifact(rig.folder / "requests" / "two", "Orvo Tandrup")
        await rig.until(TANDRUP, blocked=True)
        rig.run("withdraw", "one")
        await rig.until(VARNHOLT, blocked=False)
        rig.vllm.gate.set()
        rest = "".join([line async for line in lines])

    assert "two" in rest
    assert "[DONE]" in rest


async def test_a_broken_one_leaves_the_others_in_service(rig: LiveRig) -> None:
    artifact(rig.folder / "requests" / "one", "Ilse Varnholt")
    await rig.until(VARNHOLT, blocked=True)
    (rig.folder / "requests" / "bad").mkdir()
    (rig.folder / "requests" / "bad" / "manifest.json").write_text("no")
    artifact(rig.folder / "requests" / "two", "Orvo Tandrup")
    await rig.until(TANDRUP, blocked=True)
    assert await rig.blocks(VARNHOLT)
    assert "ecoguard_forget_requests_broken{" in (await rig.client.get("/metrics")).text
