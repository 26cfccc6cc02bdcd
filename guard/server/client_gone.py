"""A client that leaves ends the work for it, wherever that stands; without a task for the work."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, cast

from starlette.types import Message, Receive


class ClientGoneError(Exception):
    """The client left before the answer was complete."""


class WhileConnected:
    """Inside the block, a client that leaves cancels the current task: ClientGoneError comes out.

    Made like `asyncio.timeout`: the work runs in the task that it is in already, and only the
    watching is a task of its own. `receive` must have given all of the request's body.
    """

    def __init__(self, receive: Receive) -> None:
        # Servers give coroutines, and a task of any awaitable is dearer.
        self._receive = cast("Callable[[], Coroutine[Any, Any, Message]]", receive)
        self._inside = False
        self._cancelled = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("not inside a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._inside = True
        self._watch()
        return self

    def _watch(self) -> None:
        self._watching = asyncio.create_task(self._receive())
        self._watching.add_done_callback(self._received)

    def _received(self, watching: "asyncio.Task[Message]") -> None:
        if not self._inside or watching.cancelled():  # the loop ends, say
            return
        if watching.result()["type"] != "http.disconnect":
            self._watch()
        else:
            self._cancelled = True
            self._task.cancel()

    def end(self) -> None:
        """The answer is out: whoever leaves from now on leaves served.

        Servers tell of the end of an answer as they tell of a client that left.
        """
        self._inside = False

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._inside = False
        self._watching.remove_done_callback(self._received)
        self._watching.cancel()
        del self._watching  # else a ring, which holds the request until the collector comes
        if not self._cancelled:
            return
        if kind is not asyncio.CancelledError:
            # Asked for, but the block was left before it came: it would hit whoever awaits next.
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        if self._task.uncancel() <= self._cancelling and kind is not None:
            raise ClientGoneError from None
