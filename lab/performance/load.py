"""The load generator: keeps connections busy for a while and notes every answer's times.

A protocol of its own instead of a client library: it costs some 15 µs a request, so that two cores
are enough for it, the model server and what stands between them.
"""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import cast

import numpy as np
from numpy.typing import NDArray

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"

KEY = "sk-bench"
"""Whoever checks keys must know it."""


class LoadError(Exception):
    """An answer was not what a benchmark may count."""


@dataclass(slots=True)
class Samples:
    """Seconds of each answered request, to its first byte and to its end, and of the whole run."""

    first_bytes: list[float] = field(default_factory=list)
    totals: list[float] = field(default_factory=list)
    seconds: float = 0.0

    def percentile(self, percent: float, *, first: bool = False) -> float:
        """Milliseconds."""
        values: NDArray[np.float64] = np.array(self.first_bytes if first else self.totals)
        return float(np.percentile(values, percent) * 1000) if len(values) else float("nan")

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.totals) / self.seconds if self.seconds else 0.0


class Connection(asyncio.Protocol):
    """Sends a request whenever the one before is answered, while `bodies` has any."""

    def __init__(self, head: bytes, bodies: Iterator[bytes], samples: Samples) -> None:
        self._head = head
        self._bodies = bodies
        self._samples = samples
        self._answer = bytearray()
        self._body_at = 0
        self._started = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # Of uvloop, whose transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that closes a connection which is kept alive has failed."""
        if not self.done.done():
            self.done.set_exception(LoadError(f"connection lost: {exc}"))

    def data_received(self, data: bytes) -> None:
        """Note the first byte of the body; go on when the answer is whole."""
        self._answer += data
        if not self._body_at:
            at = self._answer.find(b"\r\n\r\n") + 4
            if at < 4 or at == len(self._answer):
                return
            self._body_at = at
            self._samples.first_bytes.append(perf_counter() - self._started)
        if self._is_whole():
            self._samples.totals.append(perf_counter() - self._started)
            self._send()

    def _is_whole(self) -> bool:
        head = bytes(self._answer[: self._body_at])
        if not head.startswith(b"HTTP/1.1 200"):
            if not self.done.done():
                self.done.set_exception(LoadError(bytes(self._answer[:400]).decode("latin-1")))
            return False
        if length := _LENGTH.search(head):
            return len(self._answer) >= self._body_at + int(length[1])
        return self._answer.endswith(_LAST_CHUNK)

    def _send(self) -> None:
        body = next(self._bodies, None)
        if body is None:
            if not self.done.done():
                self.done.set_result(None)
            self._transport.close()
            return
        del self._answer[:]
        self._body_at = 0
        self._started = perf_counter()
        self._transport.write(b"%scontent-length: %d\r\n\r\n%s" % (self._head, len(body), body))


async def put_load(
    port: int,
    bodies: Iterator[bytes],
    *,
    connections: int,
    seconds: float,
    most: int,
    path: str = "/v1/chat/completions",
    deadline_s: float = 120.0,
) -> Samples:
    """Send `bodies` over `connections` for `seconds`, `most` requests in all.

    Requests under way at the end are waited for. Raises LoadError for any answer but 200, a lost
    connection, or when the end does not come within `deadline_s` seconds.
    """
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {KEY}\r\n"
    ).encode()
    samples = Samples()
    loop = asyncio.get_running_loop()
    started = perf_counter()
    bounded = _bounded(bodies, started + seconds, most)
    made = [
        await loop.create_connection(lambda: Connection(head, bounded, samples), "127.0.0.1", port)
        for _ in range(connections)
    ]
    try:
        async with asyncio.timeout(deadline_s):
            await asyncio.gather(*(protocol.done for _, protocol in made))
    except TimeoutError:
        raise LoadError(f"not done after {deadline_s:g} s") from None
    finally:
        for transport, _ in made:
            transport.close()
    samples.seconds = perf_counter() - started
    return samples


def _bounded(bodies: Iterator[bytes], end: float, most: int) -> Iterator[bytes]:
    for count, body in enumerate(bodies):
        if count >= most or perf_counter() >= end:
            return
        yield body
