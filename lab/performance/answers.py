"""How much later a reader reads an answer that is judged: hold, tail and whole beside direct.

    python -m lab.performance.answers --detector FOLDER [--encoder FOLDER] [--rounds 20]

A model server says the same prose again and again, a token every few milliseconds. FOLDER is the
detector's artifact. All take turns, so that a neighbour on the machine slows them alike. Prints the
times until the first and the last text, and the pause between two pieces, in milliseconds.
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import mean, median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

import aiohttp
import orjson

from lab.performance.contestants import Maker, Surroundings, ecoguard, running
from lab.performance.model_server import Answers, Connection, Script, chunk, event

MODES = ("hold", "tail", "whole")
PROSE = (
    "The harbour lies behind a long wall of grey stones. Ships that come in at night look for two "
    "green lights, one above the other. In winter few of them arrive, and the men who unload them "
    "mend nets in the sheds instead. A museum tells how the town lived from salt before that. It "
    "opens at ten, and on Sundays at noon. "
)


class Reading(NamedTuple):
    """Milliseconds until the first and the last text, and between two pieces."""

    first: float
    last: float
    pause: float


class Prose(Answers):
    """An answer of so many words, one an event."""

    def __init__(self, words: int, event_s: float) -> None:
        super().__init__(Script(first_byte_s=event_s, event_s=event_s))
        said = (PROSE * (1 + words // 60)).split()[:words]
        self.events = [chunk(event(f"{word} ")) for word in said]
        self.events.append(chunk(event("", "stop")))


def makers(given: Namespace) -> dict[str, Maker]:
    """A proxy without policies, and one for each mode."""
    detector = {"kind": "artifact", "path": str(given.detector)}
    sections: dict[str, object] = {"detectors": {"d": detector}}
    if given.encoder:
        sections["encoder"] = {"path": str(given.encoder)}
    policy = {"name": "p", "detector": "d", "action": "flag", "side": "answer"}
    found = {"no policy": ecoguard("plain", {})}
    for mode in MODES:
        rules = [{**policy, "mode": mode}]
        found[mode] = ecoguard(mode, {**sections, "policies": rules})
    return found


async def read(session: aiohttp.ClientSession, url: str) -> Reading:
    """Read one answer."""
    body = {"model": "paced", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    began = perf_counter()
    times = []
    async with session.post(f"{url}/v1/chat/completions", json=body) as response:
        async for line in response.content:
            if line.startswith(b"data: {"):
                told = orjson.loads(line[6:])["choices"][0]
                times += [perf_counter() - began] * bool(told["delta"].get("content"))
    return Reading(*(1000 * t for t in (times[0], times[-1], (times[-1] - times[0]) / len(times))))


async def measure(given: Namespace) -> dict[str, list[Reading]]:
    """The readings of each contestant, round by round."""
    loop = asyncio.get_running_loop()
    prose = Prose(given.words, given.pause_ms / 1000)
    server = await loop.create_server(lambda: Connection(prose), "127.0.0.1", 0)
    upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    found: dict[str, list[Reading]] = {}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="ecoguard-answers-")))
        around = Surroundings(folder, upstream, ("paced",))
        servers = await asyncio.to_thread(stack.enter_context, running(makers(given), around))
        urls = {"direct": upstream, **{name: each.url for name, each in servers.items()}}
        async with aiohttp.ClientSession() as session:
            for turn in range(given.rounds + 1):
                for name, url in urls.items():
                    reading = await read(session, url)
                    if turn:  # the first one warms up
                        found.setdefault(name, []).append(reading)
    server.close()
    return found


def row(name: str, readings: Sequence[Reading]) -> str:
    """A line of the table."""
    first, last = (median(each) for each in list(zip(*readings, strict=True))[:2])
    pause = mean(reading.pause for reading in readings)
    return f"| {name} | {first:.0f} | {last:.0f} | {pause:.2f} |"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    options = ArgumentParser(prog="python -m lab.performance.answers")
    options.add_argument("--detector", type=Path, required=True)
    options.add_argument("--encoder", type=Path)
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--words", type=int, default=250)
    options.add_argument("--pause-ms", type=float, default=20)
    found = asyncio.run(measure(options.parse_args(arguments)))
    table = ["| answers | first text | last text | between two pieces |", "|---|---|---|---|"]
    table += [row(name, readings) for name, readings in found.items()]
    sys.stdout.write("\n".join([*table, ""]))


if __name__ == "__main__":
    main()
