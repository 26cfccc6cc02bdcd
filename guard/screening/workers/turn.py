"""A job's turn at the processor: where long work lets others go first, and learns that nobody
waits for it any more."""

from typing import Protocol


class AbandonedError(BaseException):
    """Nobody waits for the work any more: as `asyncio.CancelledError`, no fault of anything."""


class Turn(Protocol):
    """What long work is given."""

    def pause(self) -> None:
        """Let others go first whose turn it is; AbandonedError when nobody waits for the work.

        Called between steps of at most about 50 ms.
        """
        ...


class _OwnTime:
    def pause(self) -> None:
        """Go on: there is nobody else."""


OWN_TIME: Turn = _OwnTime()
"""Of work that shares no threads."""
