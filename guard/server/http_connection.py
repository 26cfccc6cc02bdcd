"""A client's connection: the head of an answer leaves together with what follows it."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 "


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


class HttpConnection(HttpToolsProtocol):
    """uvicorn's HTTP, over `HeldHead`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come."""
        super().connection_made(HeldHead(transport, self.loop))
