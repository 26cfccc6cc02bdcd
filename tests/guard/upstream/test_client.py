"""The vLLM client: errors of the network become ours, connections are given back."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from guard.observability.metrics import Metrics
from guard.settings import Model
from guard.settings import Upstream as UpstreamSettings
from guard.terms.errors import UpstreamError
from guard.upstream.client import Upstream
from tests.fakes import FakeVLLM, chat_chunk
from tests.servers import serving


@asynccontextmanager
async def upstream_to(
    url: str | None,
    api_key: str | None = None,
    models: Mapping[str, Model] | None = None,
    **changes: Any,
) -> AsyncIterator[Upstream]:
    settings = UpstreamSettings.model_validate({"url": url, **changes})
    upstream = Upstream(settings, api_key, Metrics(), models=models)
    try:
        yield upstream
    finally:
        await upstream.close()


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
        (condition,) = await upstream.conditions()

    assert caught.value.status == 503
    assert (condition.cause, condition.is_up) == ("unreachable", False)


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


async def told(upstream: Upstream, **more: Any) -> int:
    """The status of a request's answer, or of the error in its place."""
    try:
        async with upstream.send("POST", "/v1/x", body=b"{}", **more) as reply:
            await reply.body()
            return reply.status
    except UpstreamError as error:
        return error.status


async def test_another_server_is_asked_where_one_cannot_be_reached(vllm: FakeVLLM) -> None:
    async with (
        serving(vllm) as url,
        upstream_to(None, urls=["http://127.0.0.1:9", url]) as upstream,
    ):
        statuses = [await told(upstream) for _ in range(12)]

    assert set(statuses) == {200}
    assert len(vllm.requests) == 12


@pytest.mark.parametrize("status", [502, 503, 504])
async def test_another_server_is_asked_where_one_says_it_is_ill(
    vllm: FakeVLLM, status: int
) -> None:
    ill = FakeVLLM(status=status)
    async with (
        serving(vllm) as well_url,
        serving(ill) as ill_url,
        upstream_to(None, urls=[ill_url, well_url]) as upstream,
    ):
        statuses = [await told(upstream) for _ in range(12)]

    assert set(statuses) == {200}
    assert len(ill.requests) == 5  # then its breaker is open


@pytest.mark.parametrize("status", [400, 404, 429, 500])
async def test_any_other_status_is_an_answer(vllm: FakeVLLM, status: int) -> None:
    vllm.status = status
    async with (
        serving(vllm) as url,
        serving(vllm) as other,
        upstream_to(None, urls=[url, other]) as upstream,
    ):
        assert await told(upstream) == status

    assert len(vllm.requests) == 1


async def test_a_connection_dropped_before_any_answer_is_made_anew() -> None:
    """As one that the server took for idle; a server alone is asked a second time."""
    dropped = 0

    async def drop_the_first(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal dropped
        await reader.readuntil(b"{}")
        if dropped:
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
            await writer.drain()
        dropped += 1
        writer.close()

    server = await asyncio.start_server(drop_the_first, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, upstream_to(f"http://127.0.0.1:{port}") as upstream:
        assert await told(upstream) == 200

    assert dropped == 2


async def test_nothing_is_sent_twice_once_an_answer_has_begun() -> None:
    asked = 0

    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{}")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, upstream_to(f"http://127.0.0.1:{port}") as upstream:
        assert await told(upstream) == 502

    assert asked == 1


async def test_rubbish_is_502_and_not_asked_for_again() -> None:
    asked = 0

    async def rubbish(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        asked += 1
        await reader.readuntil(b"{}")
        writer.write(b"\x00\x01 rubbish\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(rubbish, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, upstream_to(f"http://127.0.0.1:{port}") as upstream:
        assert await told(upstream) == 502

    assert asked == 1


async def test_a_server_that_is_down_is_left_alone() -> None:
    async with upstream_to("http://127.0.0.1:9", breaker_failures=2) as upstream:
        errors = []
        for _ in range(4):
            with pytest.raises(UpstreamError) as caught:
                async with upstream.send("GET", "/v1/x"):
                    pass
            errors.append(caught.value)

    assert [error.status for error in errors] == [503] * 4
    assert [bool(error.headers) for error in errors] == [False, False, True, True]


async def test_between_bytes_another_patience_counts(vllm: FakeVLLM) -> None:
    vllm.script = [chat_chunk("a"), None]
    async with (
        serving(vllm) as url,
        upstream_to(url, first_byte_s=60, between_bytes_s=0.05) as upstream,
        upstream.send("POST", "/v1/x", body=b'{"stream": true}') as reply,
    ):
        with pytest.raises(UpstreamError) as caught:
            [chunk async for chunk in reply.chunks()]

    assert caught.value.status == 504


async def test_a_model_has_its_own_servers(vllm: FakeVLLM) -> None:
    own = FakeVLLM()
    async with serving(vllm) as url, serving(own) as own_url:
        models = {"big": Model(upstreams=(own_url,)), "small": Model()}
        async with upstream_to(url, models=models) as upstream:
            for model in ("big", "small", None):
                assert await told(upstream, model=model) == 200

    assert (len(own.requests), len(vllm.requests)) == (1, 2)


async def test_health_checks_go_on_and_are_followed(vllm: FakeVLLM) -> None:
    vllm.healthy = False
    async with serving(vllm) as url, upstream_to(url, health_s=0.01) as upstream:
        upstream.watch()
        (backend,) = upstream.backends
        async with asyncio.timeout(5):
            while backend.healthy:
                await upstream.conditions()
            vllm.healthy = True
            while not backend.healthy:
                await upstream.conditions()


async def test_servers_tell_their_version_again_when_they_come_back(
    vllm: FakeVLLM, caplog: pytest.LogCaptureFixture
) -> None:
    vllm.version = "0.32.1+cpu"
    async with serving(vllm) as url, upstream_to(url, health_s=0.01) as upstream:
        assert upstream.version("demo") is None
        upstream.watch()
        (backend,) = upstream.backends
        async with asyncio.timeout(5):
            while not backend.has_told_version:
                await upstream.conditions()
            assert upstream.version("demo") == (0, 32)
            assert caplog.records == []
            vllm.healthy = False
            while backend.healthy:
                await upstream.conditions()
            vllm.version, vllm.healthy = "0.99.0", True
            while not backend.healthy:
                await upstream.conditions()

    assert upstream.version("demo") == (0, 99)
    assert "is vLLM 0.99: the field tables were compared with vLLM 0.32, 0.33" in caplog.text


async def test_no_place_is_lost_whatever_happens(vllm: FakeVLLM) -> None:
    vllm.hold = True
    async with serving(vllm) as url, upstream_to(url, first_byte_s=0.05) as upstream:
        await told(upstream)
        left = asyncio.create_task(told(upstream))
        vllm.arrived.clear()
        await vllm.arrived.wait()
        left.cancel()
        await asyncio.wait({left})
        in_flight = [backend.in_flight for backend in upstream.backends]

    assert in_flight == [0]
