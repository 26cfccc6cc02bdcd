"""The watchdog finds what holds the loop up, and nothing else."""

import asyncio
import time
from types import CodeType, FunctionType
from typing import Any

import pytest

from tests.loop_watchdog import Watchdog, off_the_loop, watching


def elsewhere(function: Any) -> Any:
    """The function as if it stood in the proxy's sources."""
    code: CodeType = function.__code__.replace(co_filename="/guard/somewhere.py")
    return FunctionType(code, globals())


async def computes() -> None:
    end = time.thread_time() + 0.03
    while time.thread_time() < end:
        pass


async def waits() -> None:
    time.sleep(0.05)  # noqa: ASYNC251 - that is the fault


async def lets_go() -> None:
    await asyncio.sleep(0.05)


@pytest.mark.parametrize(("work", "found"), [(computes, 1), (waits, 1), (lets_go, 0)])
async def test_only_what_holds_the_loop_up_is_found(work: Any, found: int) -> None:
    with watching(Watchdog(computed_s=0.02, waited_s=0.02)) as watchdog:
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
