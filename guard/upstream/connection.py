"""Connections to the model server: aiohttp's, but what was not paused is not taken up again."""

import ssl
from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from guard.settings import Upstream

# Large enough for one big event, small enough that a slow client stops us from reading ahead.
READ_BUFFER = 1 << 18


class Connection(ResponseHandler):
    """aiohttp 3.14 takes up reading after every piece of a body that was read, and its parser runs
    over nothing: a twentieth of what a stream costs the proxy.
    """

    def resume_reading(self, *arguments: Any, **named: Any) -> None:
        """Read on, where the body had grown faster than it was read."""
        if self._reading_paused:
            super().resume_reading(*arguments, **named)


class Connector(aiohttp.TCPConnector):
    """Opens such connections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        opened: type[ResponseHandler] = Connection
        self._factory = partial(opened, loop=self._loop)


def open_session(
    settings: Upstream, api_key: str | None, tls: ssl.SSLContext | None
) -> aiohttp.ClientSession:
    """The client for all servers: their key, their patience, no proxy of the environment's."""
    headers = {"accept-encoding": "identity"}
    if api_key:
        headers["authorization"] = f"Bearer {api_key}"
    return aiohttp.ClientSession(
        # The pools count, each server by itself.
        connector=Connector(limit=0, ssl=tls or True),
        headers=headers,
        timeout=aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_s, sock_read=settings.first_byte_s
        ),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        read_bufsize=READ_BUFFER,
        trust_env=False,
    )
