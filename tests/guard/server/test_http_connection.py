"""What a client gets is what was written, an answer's head in one piece with what follows it."""

import asyncio

import pytest

from guard.server.http_connection import HeldHead
from tests.turns import turns

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
