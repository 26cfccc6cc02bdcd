"""Processes that decode pictures: started when one is needed, killed when one is late."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from guard.images.faults import PictureError
from guard.images.frames import HEAD, Frame, FrameError, pack, said_in, sizes
from guard.images.worker import READS
from guard.settings import Images
from guard.terms.errors import ScreeningError
from guard.terms.json import JsonObject

# No secret stands in a decoder's environment, and its libraries start no threads.
KEPT = frozenset({"PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "LANG", "LC_ALL", "VIRTUAL_ENV"})
SINGLE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Processes:
    """At most `images.processes` of them; a request that waits too long, or among too many, is an
    error and no verdict."""

    def __init__(self, settings: Images) -> None:
        self._settings = settings
        self._free = asyncio.Semaphore(settings.processes)
        self._idle: list[asyncio.subprocess.Process] = []
        self._waiting = 0
        self._first: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start a process before somebody waits for it: it takes seconds to load its models."""
        self._first = asyncio.create_task(self._begin())

    async def _begin(self) -> None:
        with suppress(OSError):  # the first request is told
            async with self._process():
                pass

    async def ask(self, said: JsonObject, data: bytes) -> Frame:
        """A process's answer; raises PictureError for a picture that it dies of, and
        ScreeningError where too many wait."""
        async with self._process() as process:
            try:
                return await _exchange(process, pack(said, data))
            except (OSError, asyncio.IncompleteReadError, FrameError):
                raise PictureError("broken") from None

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """A process for one picture; whatever goes wrong meanwhile, it is not used again."""
        if self._waiting >= self._settings.queue:
            raise ScreeningError("overloaded")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            process = self._idle.pop() if self._idle else await self._start()
            try:
                yield process
            except BaseException:
                await _end(process)
                raise
            self._idle.append(process)
        finally:
            self._free.release()

    async def _start(self) -> asyncio.subprocess.Process:
        # Where nothing comes after `-P`, the folder that the proxy was started in is not looked in.
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "guard.images.worker"),
            str(self._settings.memory_bytes),
            READS if self._settings.read_text else "skip",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**{name: os.environ[name] for name in KEPT & os.environ.keys()}, **SINGLE},
        )

    async def close(self) -> None:
        """End the processes that are idle; those at work end with their requests."""
        if self._first is not None:
            await self._first
        idle, self._idle = self._idle, []
        for process in idle:
            await _end(process)


async def _exchange(process: asyncio.subprocess.Process, question: bytes) -> Frame:
    source, sink = process.stdout, process.stdin
    if source is None or sink is None:  # pragma: no cover - both are pipes
        raise FrameError("no pipe")
    sink.write(question)
    await sink.drain()
    json_bytes, data_bytes = sizes(await source.readexactly(HEAD.size))
    said = said_in(await source.readexactly(json_bytes))
    return Frame(said, await source.readexactly(data_bytes))


async def _end(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    if process.stdin is not None:
        process.stdin.close()
    await process.wait()
