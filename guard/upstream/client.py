"""The vLLM client: one connection pool, stage-wise timeouts, errors translated in one place."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import aiohttp

from guard.errors import UpstreamError
from guard.operations.metrics import Metrics
from guard.settings import Upstream as UpstreamSettings

# Large enough for one big event, small enough that a slow client stops us from reading ahead.
READ_BUFFER = 1 << 18


@dataclass(frozen=True, slots=True)
class UpstreamReply:
    """The model server's answer, its body not yet read. Valid inside `Upstream.send` only."""

    status: int
    content_type: str
    _response: aiohttp.ClientResponse
    _metrics: Metrics

    async def body(self) -> bytes:
        """The whole body."""
        with translated(self._metrics, "body"):
            return await self._response.read()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body's bytes as they come in; raises UpstreamError when the server is lost."""
        with translated(self._metrics, "stream"):
            async for chunk in self._response.content.iter_any():
                yield chunk


class Upstream:
    """Requests to one vLLM server. Made inside a running event loop; closed with `close`."""

    def __init__(self, settings: UpstreamSettings, api_key: str | None, metrics: Metrics) -> None:
        self._base = settings.url.rstrip("/")
        self._metrics = metrics
        headers = {"accept-encoding": "identity"}
        if api_key:
            headers["authorization"] = f"Bearer {api_key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=settings.connections),
            headers=headers,
            timeout=aiohttp.ClientTimeout(
                total=None,
                sock_connect=settings.connect_s,
                sock_read=max(settings.first_byte_s, settings.between_bytes_s),
            ),
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            read_bufsize=READ_BUFFER,
            trust_env=False,
        )

    @asynccontextmanager
    async def send(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[UpstreamReply]:
        """Send a request and yield the reply once its status is in.

        Leaving the block closes the reply; one that was not read to its end takes its connection
        with it, which is how vLLM learns that nobody waits any more. Raises UpstreamError.
        """
        sent = dict(headers or {})
        if body is not None:
            sent["content-type"] = "application/json"
        with translated(self._metrics, "connect"):
            response = await self._session.request(
                method, self._base + path, data=body, headers=sent, allow_redirects=False
            )
        try:
            yield UpstreamReply(response.status, response.content_type, response, self._metrics)
        finally:
            response.close()

    async def healthy(self) -> bool:
        """Whether the server says that it is ready."""
        try:
            async with self.send("GET", "/health") as reply:
                return reply.status == 200
        except UpstreamError:
            return False

    async def close(self) -> None:
        """Close the pool and every connection in it."""
        await self._session.close()


@contextmanager
def translated(metrics: Metrics, stage: str) -> Iterator[None]:
    """Turn aiohttp's errors into ours; the most telling class wins."""
    try:
        yield
    except TimeoutError as error:
        metrics.upstream_failures.labels(stage).inc()
        raise UpstreamError(
            "The model server did not answer in time", status=504, code="upstream_timeout"
        ) from error
    except aiohttp.ClientConnectorError as error:
        metrics.upstream_failures.labels(stage).inc()
        raise UpstreamError("The model server cannot be reached", status=503) from error
    except (aiohttp.ClientError, OSError) as error:
        metrics.upstream_failures.labels(stage).inc()
        raise UpstreamError("The connection to the model server was lost") from error
