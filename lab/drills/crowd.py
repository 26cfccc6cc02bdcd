"""A hostile caller among others: what they keep, what it delays, and what it leaves behind.

    python -m lab.drills.crowd --detector artifacts/malicious --out crowd.json

Eight API keys share a proxy with a detector that computes. Measured are, always against the same
without the hostile caller: how many answers the other seven get while it sends 4 MiB of every
mixture and hangs up; how long a greeting waits beside one such request; what the proxy computes and
holds once its sender has left. Then the queue is filled, time runs out, and the configuration is
reloaded in the middle of long chats. It ends with status 1 where a bound is not kept.
"""

import asyncio
import hashlib
import json
import random
import signal
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import aiohttp
import yaml

from lab.drills.mixtures import MIXTURES, prose
from lab.drills.rig import Rig, staged
from lab.performance.cost import cost_of

CHAT = "/v1/chat/completions"
CALLERS = tuple(f"caller-{number}" for number in range(7))
HOSTILE = "hostile"
SIZE = 4 << 20
HANG_UP_S = 0.3
"""The hostile caller leaves some requests after so long, and waits for the others."""

LEAST_SHARE = 0.8
MOST_DELAY_S = 0.5
MOST_MEMORY = 100 << 20
AFTERWARDS_S = 2.0
MOST_AFTERWARDS = 0.15
"""Of a core, once the sender has left: what the proxy takes when it is idle, and some."""


@dataclass
class Figures:
    """What was measured."""

    alone: list[int] = field(default_factory=list)
    beside: list[int] = field(default_factory=list)
    delays: dict[str, float] = field(default_factory=dict)
    afterwards: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    drills: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """What the seven keep of their answers."""
        return sum(self.beside) / max(1, sum(self.alone))

    @property
    def faults(self) -> list[str]:
        """The bounds that were not kept."""
        found = [f"the others keep {self.share:.2f}"] if self.share < LEAST_SHARE else []
        found += [f"{n}: waits {s:.2f} s" for n, s in self.delays.items() if s > MOST_DELAY_S]
        found += [f"{n}: {c:.2f} cores" for n, c in self.afterwards.items() if c > MOST_AFTERWARDS]
        found += [f"{n}: {b >> 20} MiB" for n, b in self.memory.items() if b > MOST_MEMORY]
        for name, outcomes in self.drills.items():
            wrong = [word for word in outcomes if word.startswith(("content_filter", "lost"))]
            found += [f"{name}: {word}" for word in wrong]
        return found


class Crowd:
    """Callers of one proxy."""

    def __init__(self, rig: Rig, session: aiohttp.ClientSession, seconds: float) -> None:
        self._rig = rig
        self._session = session
        self._seconds = seconds
        self._chance = random.Random(0)

    async def ask(self, key: str, *texts: str) -> tuple[str, float]:
        """A chat's outcome, `ok` or the error's code or `lost`, and its seconds."""
        body = {"model": "demo", "messages": [_turn(n, text) for n, text in enumerate(texts)]}
        started = perf_counter()
        try:
            headers = {"authorization": f"Bearer {key}"}
            async with self._session.post(CHAT, json=body, headers=headers) as answer:
                content: dict[str, Any] = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:
            return f"lost {type(error).__name__}", perf_counter() - started
        outcome = "ok" if answer.status == 200 else str(content["error"]["code"])
        return outcome, perf_counter() - started

    def text(self, kind: str, size: int) -> str:
        """A new text."""
        return MIXTURES[kind](self._chance, size)

    async def throughput(self) -> list[int]:
        """Answers of each of the seven, one request after the other, in the time there is."""
        until = perf_counter() + self._seconds

        async def one(key: str) -> int:
            count = 0
            while perf_counter() < until:
                outcome, _ = await self.ask(key, prose(self._chance, 300))
                count += outcome == "ok"
            return count

        return await asyncio.gather(*map(one, CALLERS))

    async def besides(self, bodies: Sequence[str]) -> list[int]:
        """The same while the hostile caller sends all that it can, four at a time."""
        over = asyncio.Event()

        async def annoy() -> None:
            while not over.is_set():
                text = f"{self._chance.random()} {self._chance.choice(bodies)}"
                patience = self._chance.choice((HANG_UP_S, 30.0))
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await self.ask(HOSTILE, text)

        annoying = [asyncio.create_task(annoy()) for _ in range(4)]
        counts = await self.throughput()
        over.set()
        await asyncio.gather(*annoying)
        return counts

    async def delay(self, text: str) -> float:
        """The longest that a greeting takes beside one request of the hostile caller's."""
        annoying = asyncio.create_task(self.ask(HOSTILE, text))
        longest = 0.0
        while not annoying.done():
            outcome, seconds = await self.ask(CALLERS[0], f"Hello {self._chance.random()}")
            if outcome == "ok":
                longest = max(longest, seconds)
        return longest

    async def afterwards(self, text: str) -> float:
        """Cores that the proxy uses once the sender of a long text has left."""
        with suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                await self.ask(HOSTILE, text)
        await asyncio.sleep(0.1)  # the batch that was being read
        before = cost_of(self._rig.proxy.pid).cpu_s
        await asyncio.sleep(AFTERWARDS_S)
        return (cost_of(self._rig.proxy.pid).cpu_s - before) / AFTERWARDS_S

    async def memory(self, text: str) -> int:
        """How much more the proxy holds while it has a long text than before."""
        idle = most = cost_of(self._rig.proxy.pid).memory_bytes
        asking = asyncio.create_task(self.ask(HOSTILE, text))
        while not asking.done():
            await asyncio.sleep(0.05)
            held = await asyncio.to_thread(cost_of, self._rig.proxy.pid)
            most = max(most, held.memory_bytes)
        return most - idle

    async def many(self, count: int, size: int) -> dict[str, int]:
        """The outcomes of so many requests at once."""
        asked = (self.ask(CALLERS[n % 7], prose(self._chance, size)) for n in range(count))
        return dict(Counter(outcome for outcome, _ in await asyncio.gather(*asked)))

    async def reload(self) -> None:
        """Returns once the proxy serves by what the configuration's file says now."""
        before = await self._reloads()
        self._rig.proxy.send_signal(signal.SIGHUP)
        while await self._reloads() == before:
            pass

    async def _reloads(self) -> list[str]:
        async with self._session.get("/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return [line for line in lines if line.startswith("ecoguard_reloads_total")]

    async def chats(self, turns: int, reload: Callable[[], None]) -> dict[str, int]:
        """The outcomes of chats of so many turns, with a reload after every second one."""
        outcomes: Counter[str] = Counter()

        async def chat(key: str) -> None:
            said: list[str] = []
            for number in range(turns):
                said.append(prose(self._chance, 400))
                outcome, _ = await self.ask(key, *said)
                outcomes[outcome] += 1
                said.append("I see.")
                if key == CALLERS[0] and number % 2:
                    reload()

        await asyncio.gather(*map(chat, CALLERS))
        return dict(outcomes)


async def measure(rig: Rig, seconds: float) -> Figures:
    """All of it, on a proxy that runs."""
    figures = Figures()
    timeout = aiohttp.ClientTimeout(total=60)
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(
        rig.proxy.url, connector=connector, timeout=timeout
    ) as session:
        crowd = Crowd(rig, session, seconds)
        await crowd.many(8, 300)
        texts = {kind: crowd.text(kind, SIZE) for kind in MIXTURES}
        for kind, text in texts.items():
            figures.memory[kind] = await crowd.memory(text)
        figures.alone += await crowd.throughput()
        figures.beside += await crowd.besides(list(texts.values()))
        figures.beside += await crowd.besides(list(texts.values()))
        figures.alone += await crowd.throughput()
        quiet = max([(await crowd.ask(CALLERS[0], f"Hi {n}"))[1] for n in range(20)])
        for kind, text in texts.items():
            rounds = [await crowd.delay(text) for _ in range(3)]
            figures.delays[kind] = max(0.0, median(rounds) - quiet)
            figures.afterwards[kind] = await crowd.afterwards(text)
        usual = yaml.safe_load(rig.file.read_text(encoding="utf-8"))["limits"]
        rig.write(limits={"screening_queue": 4, "screening_s": 1.0, "body_bytes": SIZE * 2})
        await crowd.reload()
        figures.drills["queue full"] = await crowd.many(64, 400)
        figures.drills["deadline"] = await crowd.many(14, 20_000)
        rig.write(limits=usual)
        await crowd.reload()
        figures.drills["reload in chats"] = await crowd.chats(
            12, lambda: rig.proxy.send_signal(signal.SIGHUP)
        )
    return figures


def sections(detector: Path, tokens: int) -> Mapping[str, object]:
    """Eight keys, and one policy by a detector that computes."""
    keys = [
        {"name": name, "sha256": hashlib.sha256(name.encode()).hexdigest()}
        for name in (*CALLERS, HOSTILE)
    ]
    return {
        "detectors": {"malicious": {"kind": "artifact", "path": str(detector.resolve())}},
        "policies": [{"name": "stop", "detector": "malicious", "action": "flag"}],
        "limits": {"screening_tokens": tokens, "body_bytes": SIZE * 2},
        "keys": keys,
    }


def _turn(number: int, text: str) -> dict[str, str]:
    return {"role": "assistant" if number % 2 else "user", "content": text}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, say what came of it; 1 where a bound is not kept."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--detector", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--tokens", type=int, default=100_000, help="limits.screening_tokens")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder), sections(given.detector, given.tokens)) as rig,
    ):
        figures = asyncio.run(measure(rig, given.seconds))
    told = {**vars(figures), "share": figures.share, "faults": figures.faults}
    text = json.dumps(told, indent=2)
    print(text)  # noqa: T201 - the result
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    return 1 if figures.faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
