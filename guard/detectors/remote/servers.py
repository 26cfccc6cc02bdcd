"""The servers of one remote model: JSON is posted to one of those that are not left alone."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import orjson

from guard.detectors.remote.failures import LateError, RemoteError
from guard.settings.remote import RemoteServers
from guard.terms.json import JsonObject
from guard.upstream.breaker import Breaker

logger = logging.getLogger(__name__)

MOST_CONNECT_S = 2.0
MOST_ANSWER_BYTES = 16 << 20
# So that a late answer is told as the server's fault before the whole question is late.
OF_TIMEOUT = 0.9


class Server:
    """One of the servers, and how many questions it has now."""

    def __init__(self, url: str, settings: RemoteServers) -> None:
        self.url = url.rstrip("/")
        self.label = urlsplit(url).netloc
        self.breaker = Breaker(settings.breaker_failures, settings.breaker_s)
        self.asked = 0


class Connections:
    """What is open in one event loop: connections, and the places for questions."""

    def __init__(
        self, settings: RemoteServers, api_key: str | None, tls: ssl.SSLContext | None
    ) -> None:
        self.loop = asyncio.get_running_loop()
        self.free = asyncio.Semaphore(settings.concurrency)
        connect = min(MOST_CONNECT_S, settings.timeout_s / 2)
        self.session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls or True),
            headers={"authorization": f"Bearer {api_key}"} if api_key else None,
            timeout=aiohttp.ClientTimeout(
                total=OF_TIMEOUT * settings.timeout_s, sock_connect=connect
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )


class Servers:
    """Asks servers of the same model. Connections open with the first question of an event loop,
    and end with `disconnect`."""

    def __init__(
        self,
        settings: RemoteServers,
        api_key: str | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = settings
        self._api_key = api_key
        self._tls = tls
        self._servers = [Server(url, settings) for url in settings.servers]
        self._open: Connections | None = None
        self._turn = 0

    async def post(self, path: str, body: JsonObject) -> JsonObject:
        """The JSON object that a server answers with status 200.

        Asks again, another server where there is one, after a failure that may pass. Raises
        RemoteError.
        """
        sent = orjson.dumps(body)
        connections = self._connections()
        tried: list[Server] = []
        async with connections.free:
            while True:
                server = self._choose(tried)
                tried.append(server)
                try:
                    return await self._asked(connections.session, server, path, sent)
                except RemoteError as error:
                    if not error.may_pass or len(tried) > self._settings.retries:
                        raise

    def _choose(self, tried: Sequence[Server]) -> Server:
        """The server with the fewest questions, one that was not tried if there is one."""
        usable = [server for server in self._servers if server.breaker.admits]
        if not usable:
            raise RemoteError("left_alone", "all servers have failed too often to be asked now")
        usable = [server for server in usable if server not in tried] or usable
        self._turn += 1  # equals take turns
        turned = usable[self._turn % len(usable) :] + usable[: self._turn % len(usable)]
        return min(turned, key=lambda server: server.asked)

    async def _asked(
        self, session: aiohttp.ClientSession, server: Server, path: str, body: bytes
    ) -> JsonObject:
        async with (
            _question(server),
            session.post(
                server.url + path,
                data=body,
                headers={"content-type": "application/json"},
                allow_redirects=False,
            ) as answer,
        ):
            status = answer.status
            if status >= 500:
                raise RemoteError("status", f"{server.label}: status {status}", status)
            content = await _content(answer.content, server)
        if status != 200:
            raise RemoteError("refused", f"{server.label}: status {status}", status)
        return _read_object(content, server)

    def _connections(self) -> Connections:
        """Those of the running loop; tools have one loop after the other."""
        if self._open is None or self._open.loop is not asyncio.get_running_loop():
            self._open = Connections(self._settings, self._api_key, self._tls)
        return self._open

    async def disconnect(self) -> None:
        """Let the connections of the running loop end."""
        connections, self._open = self._open, None
        if connections and connections.loop is asyncio.get_running_loop():
            await connections.session.close()


@asynccontextmanager
async def _question(server: Server) -> AsyncIterator[None]:
    """A question to a server: what comes of it tells whether the server is to be left alone."""
    server.breaker.begin()
    server.asked += 1
    try:
        yield
    except TimeoutError as error:
        _note(server)
        raise LateError(f"{server.label}: no answer in time") from error
    except (aiohttp.ClientError, OSError) as error:
        _note(server)
        raise RemoteError("unreachable", f"{server.label}: {type(error).__name__}") from error
    except RemoteError:
        _note(server)
        raise
    except asyncio.CancelledError:
        server.breaker.abandoned()
        raise
    else:
        server.breaker.answered()
        server.breaker.succeeded()
    finally:
        server.asked -= 1


def _note(server: Server) -> None:
    if server.breaker.failed():
        logger.warning("guard model server %s has failed too often: it is left alone", server.label)


async def _content(stream: aiohttp.StreamReader, server: Server) -> bytes:
    """The whole body, of a bounded size."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in stream.iter_any():
        size += len(chunk)
        if size > MOST_ANSWER_BYTES:
            raise RemoteError("unreadable", f"{server.label}: an answer too large to read")
        chunks.append(chunk)
    return b"".join(chunks)


def _read_object(content: bytes, server: Server) -> JsonObject:
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise RemoteError("unreadable", f"{server.label}: an answer that is no JSON") from error
    if not isinstance(value, dict):
        raise RemoteError("unreadable", f"{server.label}: an answer that is no JSON object")
    return value
