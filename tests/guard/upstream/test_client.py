"""The vLLM client: errors of the network become ours, connections are given back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from guard.errors import UpstreamError
from guard.operations.metrics import Metrics
from guard.settings import Upstream as UpstreamSettings
from guard.upstream.client import Upstream
from tests.fakes import FakeVLLM, chat_chunk
from tests.servers import serving


@asynccontextmanager
async def upstream_to(
    url: str, api_key: str | None = None, **changes: Any
) -> AsyncIterator[Upstream]:
    settings = UpstreamSettings.model_validate({"url": url, **changes})
    upstream = Upstream(settings, api_key, Metrics())
    try:
        yield upstream
    finally:
        await upstream.close()


@pytest.fixture
async def vllm() -> FakeVLLM:
    return FakeVLLM()


async def test_reply_and_headers(vllm: FakeVLLM) -> None:
    async with (
        serving(vllm) as url,
        upstream_to(url + "/", api_key="s3cret") as upstream,
        upstream.send("POST", "/v1/x", body=b"{}", headers={"x-a": "b"}) as reply,
    ):
        body = await reply.body()

    assert (reply.status, reply.content_type) == (200, "application/json")
    assert b"Hello." in body
    sent = vllm.headers[0]
    assert sent["authorization"] == "Bearer s3cret"
    assert (sent["accept-encoding"], sent["x-a"]) == ("identity", "b")


async def test_refused_connection_is_503() -> None:
    async with upstream_to("http://127.0.0.1:9") as upstream:
        with pytest.raises(UpstreamError) as caught:
            async with upstream.send("GET", "/health"):
                pass
        healthy = await upstream.healthy()

    assert caught.value.status == 503
    assert not healthy


async def test_silent_server_is_504(vllm: FakeVLLM) -> None:
    vllm.hold = True
    timeouts: dict[str, Any] = {"first_byte_s": 0.05, "between_bytes_s": 0.05}
    async with serving(vllm) as url, upstream_to(url, **timeouts) as upstream:
        with pytest.raises(UpstreamError) as caught:
            async with upstream.send("POST", "/v1/x", body=b"{}"):
                pass

    assert (caught.value.status, caught.value.code) == (504, "upstream_timeout")


async def test_connection_lost_in_mid_stream_is_502(vllm: FakeVLLM) -> None:
    vllm.script = [chat_chunk("a"), "die"]
    async with (
        serving(vllm) as url,
        upstream_to(url) as upstream,
        upstream.send("POST", "/v1/x", body=b'{"stream": true}') as reply,
    ):
        with pytest.raises(UpstreamError) as caught:
            [chunk async for chunk in reply.chunks()]

    assert caught.value.status == 502


async def test_leaving_early_closes_the_connection(vllm: FakeVLLM) -> None:
    vllm.script = [chat_chunk("a"), None]
    async with serving(vllm) as url, upstream_to(url) as upstream, asyncio.timeout(5):
        async with upstream.send("POST", "/v1/x", body=b'{"stream": true}') as reply:
            assert b'"a"' in await anext(reply.chunks())
        await vllm.gone.wait()

    assert vllm.gone.is_set()
