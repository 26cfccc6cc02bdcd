"""Requests as bytes on a socket: HTTP clients tidy up what attackers would not."""

import contextlib
import http.client
import io
import socket
from dataclasses import dataclass
from typing import Self

import orjson

from tests.e2e.bypass.rig import ALICE, Proxy
from tests.e2e.bypass.vectors.vector import CHAT

PATIENCE_S = 20


@dataclass(frozen=True)
class RawAnswer:
    """One answer of those that came over a connection."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error's code, "" when the body is no error in OpenAI's form."""
        try:
            return str(orjson.loads(self.body)["error"]["code"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return ""


class _Unclosed(io.BytesIO):
    """Received bytes that stay readable when an answer was read off them."""

    def makefile(self, *_: object) -> Self:
        """Itself: what `http.client` takes for a socket."""
        return self

    def close(self) -> None:
        """Nothing: more answers may follow."""


def exchange(proxy: Proxy, sent: bytes, patience_s: float = PATIENCE_S) -> list[RawAnswer]:
    """Send bytes and read all answers until the proxy closes the connection.

    A proxy that says nothing for `patience_s` is told that no more will come.
    """
    with socket.create_connection(proxy.address, timeout=patience_s) as connection:
        received = b""
        with contextlib.suppress(OSError):  # closed on us: what has come is the answer
            connection.sendall(sent)
            received += _read(connection)
            connection.shutdown(socket.SHUT_WR)
            received += _read(connection)
    return _answers(received)


def _read(connection: socket.socket) -> bytes:
    """Everything until the end or a silence."""
    received = b""
    with contextlib.suppress(TimeoutError, ConnectionResetError):
        while chunk := connection.recv(1 << 16):
            received += chunk
    return received


def _answers(received: bytes) -> list[RawAnswer]:
    stream = _Unclosed(received)
    answers = []
    while stream.tell() < len(received):
        response = http.client.HTTPResponse(stream)  # type: ignore[arg-type]
        response.begin()
        body = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        answers.append(RawAnswer(response.status, headers, body))
    return answers


def request(
    target: str,
    body: bytes = b"",
    *headers: str,
    method: str = "POST",
    version: str = "1.1",
    length: bool = True,
) -> bytes:
    """A request whose target, method and headers stand exactly as given."""
    lines = [
        f"{method} {target} HTTP/{version}",
        "host: guard",
        f"authorization: Bearer {ALICE}",
        "content-type: application/json",
        *([f"content-length: {len(body)}"] if length else []),
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*chunks: bytes) -> bytes:
    """A body in chunked coding."""
    return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def posted(body: bytes, *headers: str, length: bool = True) -> bytes:
    """A chat request."""
    return request(CHAT, body, *headers, length=length)
