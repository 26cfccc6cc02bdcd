"""Connections to the model server: aiohttp's, but what was not paused is not taken up again."""

from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler


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
