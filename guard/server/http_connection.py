"""A client's connection: bounds on the heads of requests; heads of answers leave in company."""

import asyncio
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from guard.terms.errors import RequestError
from guard.wire.envelopes import error_body
from guard.wire.json_body import serialise

_HEAD = b"HTTP/1.1 "
KEEP_ALIVE_S = 75
"""How long a connection may be idle: longer than clients (5 s is common) and load balancers (60 s)
keep one, so that it is they who close it. Where both count the same, a request can be sent into a
connection that closes just then."""


class HeldHead(asyncio.Transport):
    """Writes like the transport that it stands before, but keeps an answer's head for a moment.

    The server writes head and body one after the other, and the event loop sends each write at
    once: two system calls, two packets, two wake-ups of the client. A head that nothing follows
    in this turn of the loop leaves by itself.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._held = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send `data` behind the head that is held, or hold it if it is one."""
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held + data)
        elif data[: len(_HEAD)] == _HEAD:
            self._held = bytes(data)
            self._loop.call_soon(self._send_held)
        else:
            self._transport.write(data)

    def _send_held(self) -> None:
        if self._held:
            held, self._held = self._held, b""
            self._transport.write(held)

    def close(self) -> None:
        """Close the connection once all is sent."""
        self._send_held()
        self._transport.close()

    def is_closing(self) -> bool:
        """Whether it is closed, or about to be."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """What the transport knows of the connection."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take nothing more from the client for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Take from the client again."""
        self._transport.resume_reading()


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """Bounds on the head of a request, its path and headers, and seconds until it must be in."""

    bytes: int = 32 << 10
    headers: int = 100
    seconds: float = 10


class _HeadTooLargeError(Exception):
    """More bytes or headers than a head may have; ends the parser."""


class HttpConnection(HttpToolsProtocol):
    """uvicorn's HTTP, over `HeldHead`, with bounds on heads while they are read.

    The parser keeps a header until it is complete, and the server keeps all of them: so bytes are
    counted as they come in, in one read more at the most. Trailers and what stands beside a chunk's
    size count like a head.
    """

    def __init__(self, *args: Any, head_limits: HeadLimits | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self._limits = head_limits or HeadLimits()
        self._timer: asyncio.TimerHandle | None = None
        self._awaits_head = True
        self._silent = 0  # bytes since the parser last told of a head or of a piece of a body
        self._oversized = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(HeldHead(transport, self.loop))
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has left."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came in; the connection ends where a head grows beyond its bounds."""
        self._silent += len(data)
        super().data_received(data)
        if self._silent > self._limits.bytes and not self._oversized:
            self._oversized = True
            self._refuse()
        elif self._awaits_head and self._timer is None:
            self._expect_head()

    def on_message_begin(self) -> None:
        """A head begins."""
        self._silent = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is complete."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self._limits.bytes or len(self.headers) > self._limits.headers:
            self._oversized = True
            raise _HeadTooLargeError
        self._silent = 0
        self._awaits_head = False
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._silent = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is complete; another may follow."""
        self._awaits_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What ends a request that cannot be parsed, or whose head is too large."""
        if self._oversized:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        """End the connection; with a 431 where no other answer is under way."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.write(_too_large())
        self.transport.close()

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(self._limits.seconds, self._head_is_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _head_is_late(self) -> None:
        """Nobody waits for a head for ever; an answer under way is let to its end."""
        self._timer = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()


def _too_large() -> bytes:
    error = RequestError(
        "The request's headers are too large or too many", status=431, code="headers_too_large"
    )
    body = serialise(error_body(error))
    head = (
        *("HTTP/1.1 431 Request Header Fields Too Large", "content-type: application/json"),
        *(f"content-length: {len(body)}", "connection: close", "", ""),
    )
    return "\r\n".join(head).encode() + body
