"""A client that leaves ends the work for it, and nothing else; receive is scripted."""

import asyncio
from typing import Any

import pytest

from guard.server.client_gone import ClientGoneError, WhileConnected
from tests.turns import turns


class Client:
    """Leaves when told to."""

    def __init__(self) -> None:
        self.left = asyncio.Event()

    async def __call__(self) -> dict[str, Any]:
        await self.left.wait()
        return {"type": "http.disconnect"}


async def test_work_goes_on_while_the_client_stays() -> None:
    async with WhileConnected(Client()):
        await turns()
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_a_client_that_leaves_ends_the_work_where_it_stands() -> None:
    client, cleaned = Client(), []

    async def work() -> None:
        async with WhileConnected(client):
            client.left.set()
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append(True)

    with pytest.raises(ClientGoneError):
        await work()
    assert cleaned
    await _is_not_cancelled()


async def test_a_client_that_leaves_with_the_answers_last_byte_was_served() -> None:
    client = Client()
    async with WhileConnected(client) as connected:
        client.left.set()
        while not connected._cancelled:
            try:
                await turns()
            except asyncio.CancelledError:
                break
    await _is_not_cancelled()


async def test_what_the_server_tells_after_the_answer_is_no_leaving() -> None:
    """Servers tell of the end of an answer as of a client that left."""
    client = Client()
    async with WhileConnected(client) as connected:
        client.left.set()
        connected.end()
        await turns(3)
    await _is_not_cancelled()


async def test_an_error_of_work_that_was_cancelled_leaves_nothing_behind() -> None:
    client = Client()

    async def work() -> None:
        async with WhileConnected(client):
            client.left.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise KeyError from None

    with pytest.raises(ClientGoneError):
        await work()
    await _is_not_cancelled()


async def test_somebody_elses_cancellation_stays_one() -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with WhileConnected(Client()):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_both_at_once_are_a_cancellation() -> None:
    client, inside = Client(), asyncio.Event()

    async def work() -> None:
        async with WhileConnected(client):
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await inside.wait()
    client.left.set()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_timeouts_inside_are_still_timeouts() -> None:
    with pytest.raises(TimeoutError):
        async with WhileConnected(Client()), asyncio.timeout(0.001):
            await asyncio.Event().wait()


async def _is_not_cancelled() -> None:
    """Fails when a cancellation is left over for whoever awaits next."""
    await turns(3)
    assert not asyncio.current_task().cancelling()  # type: ignore[union-attr]


async def test_a_watch_that_the_loop_ends_is_no_error() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    async with WhileConnected(Client()) as connected:
        connected._watching.cancel()
        await turns(3)
    assert told == []
