"""Reading from a model server pauses where nobody reads on, and goes on when somebody does."""

import asyncio

from aiohttp.http import HttpResponseParser

from guard.observability.metrics import Metrics
from guard.settings import Upstream as UpstreamSettings
from guard.upstream.client import Upstream
from guard.upstream.connection import READ_BUFFER, Connection
from tests.fakes import FakeVLLM
from tests.servers import serving
from tests.turns import turns


class Reading(asyncio.Transport):
    """Takes down what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def pause_reading(self) -> None:
        self.asked.append("pause")

    def resume_reading(self) -> None:
        self.asked.append("resume")


async def test_only_reading_that_was_paused_is_taken_up() -> None:
    connection, transport = Connection(asyncio.get_running_loop()), Reading()
    connection.transport = transport
    connection.set_response_params()
    assert isinstance(connection._parser, HttpResponseParser)
    connection.data_received(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n")

    connection.resume_reading()
    assert transport.asked == []
    connection.pause_reading()
    connection.resume_reading()
    connection.resume_reading()
    assert transport.asked == ["pause", "resume"]
    connection.data_received(b"123456789")


async def test_a_body_that_grows_faster_than_it_is_read_arrives_whole() -> None:
    vllm = FakeVLLM(script=[bytes([65 + i]) * READ_BUFFER for i in range(20)])
    async with serving(vllm) as url:
        upstream = Upstream(UpstreamSettings(url=url), None, Metrics())
        async with upstream.send("POST", "/v1/x", body=b'{"stream": true}') as reply:
            parts = []
            async for chunk in reply.chunks():
                parts.append(chunk)
                await turns(10)  # what reads is slower than what writes
        await upstream.close()
    assert b"".join(parts) == b"".join(part for part in vllm.script if isinstance(part, bytes))
