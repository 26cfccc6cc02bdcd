"""Turns of the event loop, for tests of what happens in the next one: nothing waits for a clock."""

from collections.abc import Generator


class _Turn:
    """Gives way once."""

    def __await__(self) -> Generator[None]:
        yield


async def turns(count: int = 1) -> None:
    """Let everything that is ready run, so many times."""
    for _ in range(count):
        await _Turn()
