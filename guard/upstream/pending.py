"""A request whose answer may turn out to be unwanted: sent at once, or when it is asked for."""

import asyncio
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from guard.upstream.client import UpstreamReply


class PendingRequest:
    """Opens `sending` (`Upstream.send`); leaving the block ends it, which closes its connection.

    Where it is `early` it is sent once the event loop is free, by a task of its own: a verdict that
    is there at once sends nothing in vain, and costs no task. Else it is sent by `reply`. Nothing
    of the answer's body is read before `reply` has returned.
    """

    def __init__(self, sending: AbstractAsyncContextManager[UpstreamReply], *, early: bool) -> None:
        self._sending = sending
        self._early = early
        self._start: asyncio.Handle | None = None
        self._task: asyncio.Task[UpstreamReply] | None = None
        self._opened = False
        self.begun = False

    async def __aenter__(self) -> Self:
        if self._early:
            self._start = asyncio.get_running_loop().call_soon(self._begin)
        return self

    def _begin(self) -> None:
        self._task = asyncio.create_task(self._open())

    async def _open(self) -> UpstreamReply:
        self.begun = True
        reply = await self._sending.__aenter__()
        self._opened = True
        return reply

    async def reply(self) -> UpstreamReply:
        """The reply once its status is in; raises UpstreamError as `Upstream.send` does."""
        if self._start:
            self._start.cancel()
        return await (self._task or self._open())

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._start:
            self._start.cancel()
        if self._task:
            self._task.cancel()
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.exception()  # marks it as seen: `reply` raised it, if anybody asked
        if self._opened:
            await self._sending.__aexit__(kind, error, traceback)
