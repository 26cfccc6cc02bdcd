"""The watchdog finds what holds the loop up, and nothing else."""

import asyncio
import socket
import time
from types import CodeType, FunctionType
from typing import Any

import pytest
from blockbuster import BlockingError

from tests.loop_watchdog import Watchdog, off_the_loop, refusing_to_wait, watching
from tests.turns import turns


def elsewhere(function: Any) -> Any:
    """The function as if it stood in the proxy's sources."""
    code: CodeType = function.__code__.replace(co_filename="/guard/somewhere.py")
    return FunctionType(code, globals())


async def computes() -> None:
    end = time.thread_time() + 0.03
    while time.thread_time() < end:
        pass


async def lets_go() -> None:
    await turns(3)


async def test_a_call_that_waits_is_refused_on_the_loop_alone() -> None:
    one, other = socket.socketpair()
    other.send(b"a byte")
    with one, other, refusing_to_wait("tests"):
        with pytest.raises(BlockingError, match="recv"):
            one.recv(1)
        assert await asyncio.to_thread(one.recv, 1) == b"a"


@pytest.mark.parametrize(("work", "found"), [(computes, 1), (lets_go, 0)])
async def test_only_what_holds_the_loop_up_is_found(work: Any, found: int) -> None:
    with watching(Watchdog(computed_s=0.02)) as watchdog:
        await asyncio.create_task(elsewhere(work)())
        await asyncio.create_task(work())  # the tests' own may
    assert len(watchdog.found) == found
    assert all("/guard/somewhere.py" in line for line in watchdog.found)


class Encoder:
    """Takes long, says its list."""

    def encode(self) -> str:
        return "encoded"


async def test_what_is_known_to_take_long_may_run_in_threads_only() -> None:
    encoder = Encoder()
    with off_the_loop((Encoder, "encode")):
        assert await asyncio.to_thread(encoder.encode) == "encoded"
        with pytest.raises(AssertionError, match="encode was called on the event loop"):
            encoder.encode()
    assert encoder.encode() == "encoded"
