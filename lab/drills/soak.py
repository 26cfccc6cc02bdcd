"""A soak: many requests at once, and a fault every second; what came of them.

    python -m lab.drills.soak --requests 10000 --connections 64 --out soak.json

Faults: each misbehaviour of the model servers, one of them killed, Redis killed, a detector that
raises and one that hangs, reloads of a sound and of a broken configuration; where PostgreSQL's
programs are installed, audits are written there and it is killed, too. It ends with status 1 unless
every request got a proper answer and is audited or counted as dropped, no forbidden text reached a
model server, no connection and no place is left over, and memory is flat.
"""

import asyncio
import itertools
import json
import signal
import tempfile
from argparse import ArgumentParser
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from time import perf_counter

import aiohttp
import psycopg

from lab.drills.errant_server import FORBIDDEN
from lab.drills.proxy import HANGING, RAISING
from lab.drills.rig import KEY, Rig, staged
from lab.drills.soak_figures import MOST_CONNECTIONS, Figures, is_proper
from lab.performance.cost import cost_of
from tests import postgres, redis_server

CHAT = "/v1/chat/completions"
PATIENCE_S = 30.0
RUNNING = ("ecoguard_in_flight_requests", "ecoguard_upstream_in_flight_requests")

# Of each twenty requests; "forbidden" ones must be blocked whatever happens.
MIX = (
    *(["plain"] * 9),
    *(["stream"] * 6),
    *(["forbidden"] * 3),
    "raising",
    "long",
)
TEXTS = {
    "plain": "hello",
    "stream": "hello",
    "forbidden": f"please, {FORBIDDEN.decode()}",
    "raising": RAISING,
    "long": "many harmless words, one after the other. " * 100,
}


class Soak:
    """Puts the load on the stage."""

    def __init__(
        self,
        rig: Rig,
        redis: redis_server.RedisServer,
        store: postgres.PostgresServer | None,
        audits: str,
        every_s: float,
    ) -> None:
        """`audits` is the URL of the database on `store`, "" without one."""
        self._rig = rig
        self._redis = redis
        self._store = store
        self._audits = audits
        self._every_s = every_s
        self.figures = Figures()

    async def run(self, requests: int, connections: int) -> Figures:
        """Send the requests, `connections` at a time, and look at what is left."""
        async with self._session() as session:
            await self._warm_up(session, connections)
        await self._empty()
        # A session of its own: the proxy closes connections that have been idle for long.
        async with self._session() as session:
            kinds = itertools.islice(itertools.cycle(MIX), requests)
            over = asyncio.Event()
            faults = asyncio.create_task(self._faults(over))
            await asyncio.gather(*(self._work(session, kinds) for _ in range(connections)))
            over.set()
            await faults
        await self._look_at_what_is_left()
        return self.figures

    def _session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            self._rig.proxy.url,
            headers={"authorization": f"Bearer {KEY}"},
            connector=aiohttp.TCPConnector(limit=0),
            timeout=aiohttp.ClientTimeout(total=PATIENCE_S),
        )

    async def _warm_up(self, session: aiohttp.ClientSession, connections: int) -> None:
        """As many connections to clients and to Redis as there will be."""

        async def ask() -> None:
            async with session.post(CHAT, json=_body("plain")) as response:
                await response.read()

        await asyncio.to_thread(self._rig.order, "slow")
        await asyncio.gather(*(ask() for _ in range(2 * connections)))

    async def _work(self, session: aiohttp.ClientSession, kinds: Iterator[str]) -> None:
        for kind in kinds:
            started = perf_counter()
            try:
                async with session.post(CHAT, json=_body(kind)) as response:
                    status, content = response.status, await response.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                self.figures.improper.append(f"{kind}: {type(error).__name__}")
                continue
            self.figures.seconds.append(perf_counter() - started)
            self.figures.outcomes[f"{kind} {status}"] += 1
            if not is_proper(status, content) or (kind == "forbidden" and status == 200):
                self.figures.improper.append(f"{kind}: {status} {content[:80]!r}")

    async def _faults(self, over: asyncio.Event) -> None:
        """One after the other, each mended when the next one comes, until it is `over`.

        Not cancelled: a thread that kills or starts a server would go on beside what comes next.
        """
        for name, begin, mend in itertools.cycle(self._all_faults()):
            self.figures.memory.append(cost_of(self._rig.proxy.pid).memory_bytes)
            self.figures.faults[name] += 1
            await begin()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_s):
                    await over.wait()
            await mend()
            if over.is_set():
                return

    def _all_faults(self) -> list[tuple[str, "Act", "Act"]]:
        server = self._rig.servers[0]
        whole = self._rig.file.read_text(encoding="utf-8")
        faults: list[tuple[str, Act, Act]] = [
            (mode, _later(self._rig.order, mode), _later(self._rig.order, "ok"))
            for mode in ("slow", "hang", "garbage", "not_json", "half", "drop", "ill")
        ]
        if self._store:
            store = self._store
            faults.append(("postgresql killed", _later(store.kill), _later(store.start)))
        return [
            *faults,
            ("server killed", _later(server.kill), _later(server.start)),
            ("redis killed", _later(self._redis.kill), _later(self._redis.start)),
            ("detector hangs", self._hang, _nothing),
            ("reload", _later(self._rig.proxy.send_signal, signal.SIGHUP), _nothing),
            ("broken reload", _later(self._break), _later(self._mend, whole)),
        ]

    async def _hang(self) -> None:
        headers = {"authorization": f"Bearer {KEY}"}
        async with (
            aiohttp.ClientSession(self._rig.proxy.url, headers=headers) as session,
            session.post(CHAT, json=_body("plain", HANGING)) as response,
        ):
            if response.status not in (429, 503):
                self.figures.improper.append(f"hanging: {response.status}")

    def _break(self) -> None:
        self._rig.write(detectors={"words": {"kind": "artifact", "path": "gone"}})
        self._rig.proxy.send_signal(signal.SIGHUP)

    def _mend(self, whole: str) -> None:
        self._rig.file.write_text(whole, encoding="utf-8")
        self._rig.proxy.send_signal(signal.SIGHUP)

    async def _look_at_what_is_left(self) -> None:
        """Requests that still count as running, and connections that are open."""
        figures = self.figures
        figures.unscreened = self._rig.unscreened
        figures.memory.append(cost_of(self._rig.proxy.pid).memory_bytes)
        figures.left_over = await self._sum(*RUNNING)
        await self._empty()
        if self._audits:
            await self._look_at_audits()
        for _ in range(100):  # the last sockets close a moment later
            figures.connections = self._rig.proxy.connections
            if figures.connections <= MOST_CONNECTIONS:
                break
            await asyncio.sleep(0.1)

    async def _empty(self) -> None:
        """End the model servers, and with them all idle connections; then start them again."""
        for server in self._rig.servers:
            await asyncio.to_thread(server.kill)
        for server in self._rig.servers:
            await asyncio.to_thread(server.start)

    async def _look_at_audits(self) -> None:
        """Once the queue is empty, every answer is in the store or counted as dropped."""
        figures = self.figures
        for _ in range(100):  # the writer empties its queue a moment later
            if not await self._sum("ecoguard_store_queue_records"):
                break
            await asyncio.sleep(0.1)
        figures.audited = await asyncio.to_thread(_count_audits, self._audits)
        figures.dropped = await self._sum('ecoguard_store_dropped_total{kind="audit"')
        answers = await self._sum("ecoguard_answer_seconds_count")
        figures.unaccounted = max(0, answers - figures.audited - figures.dropped)

    async def _sum(self, *series: str) -> float:
        """The sum of the proxy's metrics that begin so."""
        async with (
            aiohttp.ClientSession(self._rig.proxy.url) as session,
            session.get("/metrics") as response,
        ):
            lines = (await response.text()).splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(series))


Act = Callable[[], Awaitable[None]]


def _later(act: Callable[..., object], *arguments: object) -> Act:
    """A blocking act, in a thread."""

    async def awaited() -> None:
        await asyncio.to_thread(act, *arguments)

    return awaited


async def _nothing() -> None:
    """What mends itself."""


def _count_audits(url: str) -> int:
    """Different requests that have an audit row."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT count(DISTINCT request_id) FROM audit").fetchone()
    return int(found[0]) if found else 0


def _body(kind: str, text: str | None = None) -> dict[str, object]:
    messages = [{"role": "user", "content": text or TEXTS[kind]}]
    return {"model": "demo", "messages": messages, "stream": kind == "stream"}


def soak(folder: Path, requests: int, connections: int, every_s: float) -> Figures:
    """Stage everything in `folder`, put the load on, and say what came of it."""
    limits = {
        "screening_s": 1.5,
        "per_key": {"requests_per_minute": 10_000_000, "tokens_per_minute": 1_000_000_000},
    }
    with ExitStack() as stack:
        redis = stack.enter_context(redis_server.running())
        shared = {"url": redis.url, "timeout_s": 0.2, "retry_s": 0.5}
        sections: dict[str, object] = {"redis": shared, "limits": limits}
        store, audits = None, ""
        if programs := postgres.binaries():
            store = stack.enter_context(postgres.running(programs))
            audits = store.make_database()
            sections["store"] = {"url": audits, "auto_upgrade": True, "flush_s": 0.1}
        rig = stack.enter_context(staged(folder, sections))
        return asyncio.run(Soak(rig, redis, store, audits, every_s).run(requests, connections))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a soak and write its figures."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--every", type=float, default=1.0, help="seconds from fault to fault")
    parser.add_argument("--out", type=Path, default=None)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        figures = soak(Path(folder), given.requests, given.connections, given.every)
    text = json.dumps(figures.described(), indent=2) + "\n"
    if given.out:
        given.out.write_text(text, encoding="utf-8")
    else:
        import sys

        sys.stdout.write(text)
    if not figures.is_good:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
