"""A relay between the proxy and vLLM: passes everything on, streams included, and records it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import aiohttp
from starlette.types import Receive, Scope, Send

# Routes of vLLM on which no prompt reaches the model.
NOT_GENERATING = frozenset({"/health", "/version", "/v1/models", "/tokenize", "/detokenize"})


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived upstream."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """How one request was answered: path, status, names of dropped fields, whether as a stream."""

    path: str
    status: int
    dropped: str
    streamed: bool


class Recorder:
    """The relay as an ASGI application; `requests` holds what came by, `answers` what went back."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: aiohttp.ClientSession | None = None
        self.requests: list[Recorded] = []
        self.answers: list[Answered] = []

    @property
    def generating(self) -> list[Recorded]:
        """The requests on routes that feed the model; an unknown route counts as one."""
        return [request for request in self.requests if request.path not in NOT_GENERATING]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Relay one request."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        request = await _read(scope, receive)
        self.requests.append(request)
        async with AsyncExitStack() as stack:
            response = await stack.enter_async_context(self._forward(request))
            dropped = response.headers.get("x-ecoguard-dropped-fields", "")
            kind = response.headers.get("content-type", "application/json")
            streamed = kind.startswith("text/event-stream")
            self.answers.append(Answered(request.path, response.status, dropped, streamed))
            headers = [(b"content-type", kind.encode())]
            start = {"type": "http.response.start", "status": response.status, "headers": headers}
            await send(start)
            async for chunk in response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _forward(self, request: Recorded) -> aiohttp.client._RequestContextManager:
        assert self._session is not None
        headers = {k: v for k, v in request.headers.items() if k not in ("host", "content-length")}
        query = f"?{request.query}" if request.query else ""
        url = self._upstream + request.path + query
        return self._session.request(request.method, url, data=request.body, headers=headers)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._session = aiohttp.ClientSession(auto_decompress=False)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._session.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _read(scope: Scope, receive: Receive) -> Recorded:
    body = b"".join([chunk async for chunk in _chunks(receive)])
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Recorded(scope["method"], scope["path"], query, headers, body)


async def _chunks(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        yield message.get("body", b"")
        if not message.get("more_body"):
            return
