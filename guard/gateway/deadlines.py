"""One deadline for many blocks: a single timer watches over all of them."""

import asyncio
from types import TracebackType


class Deadlines:
    """Blocks that may take `seconds` each: TimeoutError comes out of one that takes longer.

    Made like `asyncio.timeout`, which starts and stops a timer for each block: for one that is
    over in microseconds that is most of its cost. Used inside one event loop.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._running: dict[Block, float] = {}  # in the order in which they will have to end
        self._timer: asyncio.TimerHandle | None = None

    def block(self) -> "Block":
        """A block for one `with`."""
        return Block(self)

    def begin(self, block: "Block") -> None:
        """Watch over a block from now on."""
        loop = asyncio.get_running_loop()
        end = self._running[block] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_at(end, self._expire)

    def end(self, block: "Block") -> None:
        """A block is over."""
        self._running.pop(block, None)

    def _expire(self) -> None:
        """Cancel what has run too long; the timer goes on with the block that has to end next."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        while self._running:
            block, end = next(iter(self._running.items()))
            if end > now:
                self._timer = loop.call_at(end, self._expire)
                return
            del self._running[block]
            block.expire()
        self._timer = None


class Block:
    """The work of the current task inside one `with`."""

    __slots__ = ("_cancelling", "_deadlines", "_expired", "_task")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._expired = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("not inside a task")
        self._task = task
        self._cancelling = task.cancelling()
        self._deadlines.begin(self)

    def expire(self) -> None:
        """Cancel the work; what comes out of the block is TimeoutError."""
        self._expired = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._deadlines.end(self)
        # Cancelled by others too, it stays a cancellation.
        if (
            self._expired
            and self._task.uncancel() <= self._cancelling
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error
