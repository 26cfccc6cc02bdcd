"""Real servers on port 0 inside the running event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from guard.server.http_connection import KEEP_ALIVE_S, HttpConnection
from guard.settings import ListenTls
from guard.upstream.certificates import server_contexts


@asynccontextmanager
async def serving(
    app: ASGIApp, tls: ListenTls | None = None, http: Any = HttpConnection
) -> AsyncIterator[str]:
    """Serve an app on a free loopback port, over TLS where asked; yields its base URL.

    `http` makes the protocol of a connection.
    """
    # Named, or asyncio does not know it for TCP and leaves it to delay small packets by 40 ms.
    listener = socket.socket(proto=socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        http=http,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
        ssl_context_factory=server_contexts(tls),
    )
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        started = asyncio.create_task(server.ready.wait())
        await asyncio.wait({started, task}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if task.done():
            await task
        host, port = listener.getsockname()
        yield f"{'https' if tls else 'http'}://{host}:{port}"
    finally:
        server.should_exit = True
        await task
        listener.close()


class Server(uvicorn.Server):
    """A server that says when it is ready, so that nobody has to poll or sleep."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    def install_signal_handlers(self) -> None:
        """The test runner keeps its own."""
