"""Finds what holds the event loop up: a callback that computes too long, a call that waits.

Measured is the loop thread's own CPU time, so that a busy machine raises no false alarm. Calls that
wait are found where they are made, by blockbuster, whatever time they take.
"""

import asyncio
import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from time import thread_time
from typing import Any

from blockbuster import BlockBuster

COMPUTED_S = 1.0
"""CPU seconds of one callback, without those of the garbage collector. The largest body allowed
takes a twentieth of it to parse; a crowded virtual machine's clock counts others' time too."""
WAITING = ("time.", "socket.", "ssl.", "threading.")
"""Functions that wait for a clock, a peer or another thread. Files are not among them: they are
read at the start, which tests do inside a loop."""
TESTS = Path(__file__).parent


@dataclass
class Watchdog:
    """What was found: a line for each callback."""

    computed_s: float = COMPUTED_S
    found: list[str] = field(default_factory=list)

    def judge(self, handle: asyncio.Handle, computed: float) -> None:
        """Note a callback that held the loop up; the tests' own may."""
        if computed < self.computed_s:
            return
        place = _place(handle)
        if not place.startswith(str(TESTS)) and "pytest" not in place:
            self.found.append(f"{place}: {computed:.2f} s of CPU")


def _place(handle: asyncio.Handle) -> str:
    """Where the code of a callback stands: of a task, its coroutine's."""
    callback: Any = getattr(handle, "_callback", None)
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        coroutine: Any = task.get_coro()
        code = getattr(coroutine, "cr_code", None)
    else:
        code = getattr(getattr(callback, "func", callback), "__code__", None)
    return f"{code.co_filename}:{code.co_qualname}" if code else repr(callback)


class Collected:
    """CPU seconds that the garbage collector took of this thread since the last look."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._begun = self._seconds = 0.0

    def __call__(self, phase: str, _info: object) -> None:
        if threading.get_ident() != self._thread:
            return
        if phase == "start":
            self._begun = thread_time()
        else:
            self._seconds += thread_time() - self._begun

    def take(self) -> float:
        seconds, self._seconds = self._seconds, 0.0
        return seconds


@contextmanager
def off_the_loop(*functions: tuple[Any, str]) -> Iterator[None]:
    """Inside the block these functions, each an owner and a name, fail where a loop is running.

    What is known to take long is found by where it is called, not by how long it took.
    """
    originals = [(owner, name, getattr(owner, name)) for owner, name in functions]
    for owner, name, original in originals:
        setattr(owner, name, _guarded(original, name))
    try:
        yield
    finally:
        for owner, name, original in originals:
            setattr(owner, name, original)


def _guarded(function: Any, name: str) -> Any:
    @wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        if asyncio._get_running_loop() is not None:
            raise AssertionError(f"{name} was called on the event loop")
        return function(*arguments, **named)

    return call


@contextmanager
def refusing_to_wait(*modules: str) -> Iterator[None]:
    """Inside the block a call of these modules that waits, on a loop, is a BlockingError."""
    found = BlockBuster([*modules])
    chosen = [function for name, function in found.functions.items() if name.startswith(WAITING)]
    for function in chosen:
        function.activate()
    try:
        yield
    finally:
        for function in chosen:
            function.deactivate()


@contextmanager
def watching(watchdog: Watchdog) -> Iterator[Watchdog]:
    """Inside the block every callback of asyncio's loops in this thread is measured."""
    run, collected = asyncio.Handle._run, Collected()

    def measured(handle: asyncio.Handle) -> None:
        cpu = thread_time()
        run(handle)
        watchdog.judge(handle, thread_time() - cpu - collected.take())

    gc.callbacks.append(collected)
    asyncio.Handle._run = measured  # type: ignore[method-assign,assignment]
    try:
        yield watchdog
    finally:
        gc.callbacks.remove(collected)
        asyncio.Handle._run = run  # type: ignore[method-assign]
