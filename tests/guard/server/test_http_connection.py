"""Heads of requests within bounds; heads of answers in one piece with what follows them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import orjson
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from guard.server.http_connection import HeadLimits, HeldHead, HttpConnection
from tests.servers import serving
from tests.turns import turns

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]

HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


class Recorder(asyncio.Transport):
    """Keeps what is written, piece by piece, and what else is asked of it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 7)})
        self.pieces: list[bytes] = []
        self.closed = False
        self.reading: list[str] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.reading.append("pause")

    def resume_reading(self) -> None:
        self.reading.append("resume")


@pytest.fixture
async def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def held(recorder: Recorder) -> HeldHead:
    return HeldHead(recorder, asyncio.get_running_loop())


async def test_head_and_body_leave_as_one(held: HeldHead, recorder: Recorder) -> None:
    held.write(HEAD)
    held.write(b"body")
    assert recorder.pieces == [HEAD + b"body"]
    held.write(b"more")
    await turns()
    assert recorder.pieces == [HEAD + b"body", b"more"]


async def test_a_head_alone_waits_for_one_turn_of_the_loop(
    held: HeldHead, recorder: Recorder
) -> None:
    held.write(HEAD)
    assert recorder.pieces == []
    await turns()
    assert recorder.pieces == [HEAD]
    held.write(b"body")
    assert recorder.pieces == [HEAD, b"body"]


async def test_closing_sends_what_is_held(held: HeldHead, recorder: Recorder) -> None:
    held.write(HEAD)
    held.close()
    assert held.is_closing()
    assert recorder.pieces == [HEAD]
    await turns()
    assert recorder.pieces == [HEAD]


async def test_the_rest_goes_on_to_the_transport(held: HeldHead, recorder: Recorder) -> None:
    held.pause_reading()
    held.resume_reading()
    assert recorder.reading == ["pause", "resume"]
    assert held.get_extra_info("peername") == ("127.0.0.1", 7)
    assert held.get_extra_info("cipher", "none") == "none"


class Application:
    """Says "hi" to everything, and how many requests came that far."""

    def __init__(self) -> None:
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.requests += 1
        while (await receive()).get("more_body"):
            pass
        headers = [(b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"hi"})


@pytest.fixture
def application() -> Application:
    return Application()


@asynccontextmanager
async def connected(application: Application, **limits: float) -> AsyncIterator[Connection]:
    """A connection to a server with these limits of heads."""
    limited = partial(HttpConnection, head_limits=HeadLimits(**limits))  # type: ignore[arg-type]
    async with serving(application, http=limited) as url:
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        yield reader, writer
        writer.close()


async def answered(connection: Connection, *pieces: bytes) -> bytes:
    """All that the server says to these pieces until it ends the connection."""
    reader, writer = connection
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
    return await reader.read()


BEGUN = b"GET / HTTP/1.1\r\nhost: x\r\n"
CLOSE = b"connection: close\r\n\r\n"


async def test_a_head_within_its_bounds_is_served(application: Application) -> None:
    async with connected(application, bytes=1000, headers=3) as connection:
        answer = await answered(connection, BEGUN, b"a: " + b"b" * 900 + b"\r\n", CLOSE)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


async def fed(application: Application, pieces: list[bytes], **limits: float) -> bytes:
    """What a connection with these limits says to pieces that arrive one by one, then its end."""
    recorder = Recorder()
    connection = HttpConnection(
        config=uvicorn.Config(application, log_level="critical"),
        server_state=ServerState(),
        app_state={},
        head_limits=HeadLimits(**limits),  # type: ignore[arg-type]
    )
    connection.connection_made(recorder)
    for piece in pieces:
        if not recorder.closed:
            connection.data_received(piece)
            await turns()
    assert recorder.closed
    connection.connection_lost(None)
    return b"".join(recorder.pieces)


LARGE: dict[str, list[bytes]] = {
    "one header": [BEGUN, b"a: " + b"b" * 1000 + b"\r\n", CLOSE],
    "one header without an end": [BEGUN, b"a: ", *[b"b" * 500] * 4],
    "many headers": [BEGUN, *[b"a: b\r\n"] * 30, CLOSE],
    "many headers at once": [BEGUN + b"a: b\r\n" * 30 + CLOSE],
    "the path": [b"GET /" + b"x" * 1000 + b" HTTP/1.1\r\nhost: x\r\n", CLOSE],
}


@pytest.mark.parametrize("pieces", LARGE.values(), ids=LARGE)
async def test_a_head_beyond_them_is_refused_before_the_application(
    application: Application, pieces: list[bytes]
) -> None:
    answer = await fed(application, pieces, bytes=1000, headers=20)

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert orjson.loads(body)["error"]["code"] == "headers_too_large"
    assert application.requests == 0


CHUNKED = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
BESIDE_A_BODY: dict[str, list[bytes]] = {
    "trailers": [CHUNKED, b"2\r\nab\r\n0\r\n", *[b"a: b\r\n"] * 500],
    "one trailer": [CHUNKED, b"2\r\nab\r\n0\r\na: ", *[b"b" * 500] * 4],
    "what follows a chunk's size": [CHUNKED, b"2;", *[b"x" * 500] * 4],
}


@pytest.mark.parametrize("pieces", BESIDE_A_BODY.values(), ids=BESIDE_A_BODY)
async def test_what_stands_beside_a_body_is_bounded_too(
    application: Application, pieces: list[bytes]
) -> None:
    assert await fed(application, pieces, bytes=1000) == b""


async def test_what_is_no_http_is_a_bad_request(application: Application) -> None:
    assert (await fed(application, [b"\x00\x01\r\n\r\n"])).startswith(b"HTTP/1.1 400 ")


async def test_a_body_may_be_longer_than_a_head(application: Application) -> None:
    chunks = [b"400\r\n" + b"x" * 1024 + b"\r\n"] * 20
    async with connected(application, bytes=1000) as connection:
        connection[1].write(CHUNKED + b"".join(chunks) + b"0\r\n\r\n")
        assert (await connection[0].readline()).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("pieces", [[], [BEGUN], [b"\r\n"], [b"GET / HTTP/1.1\r\n\r\n", BEGUN]])
async def test_a_head_that_does_not_come_ends_the_connection(
    application: Application, pieces: list[bytes]
) -> None:
    async with connected(application, seconds=0.05) as connection:
        answer = await answered(connection, *pieces)

    assert application.requests == len(pieces) // 2
    assert answer.count(b"HTTP/1.1") == len(pieces) // 2


async def test_an_answer_under_way_is_not_ended_by_a_late_head() -> None:
    late = asyncio.Event()

    async def slow(scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await late.wait()
            headers = [(b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"hi"})

    class Slow(HttpConnection):
        """Lets the application go on when the head is late."""

        def _head_is_late(self) -> None:
            super()._head_is_late()
            late.set()

    limited = partial(Slow, head_limits=HeadLimits(seconds=0.05))
    async with serving(slow, http=limited) as url:
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(BEGUN + b"\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200 ")
        writer.close()
