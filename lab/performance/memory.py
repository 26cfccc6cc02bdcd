"""Memory of one worker with very many forget requests in service, while it works.

    python -m lab.performance.memory --out FOLDER [--requests 1000] [--seconds 600]

The encoder, the shipped detector and the requests are loaded; then come new, growing, repeated and
long conversations as JSON and as streams, over sixteen connections, in turn. The proportional set
size is looked at after each turn. Requests are one trained classifier again and again, under
invented names and with weights of their own. Writes `memory.json` and `memory.png`; an interrupted
run has written what it saw.
"""

import asyncio
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np
import orjson

from classifiers.prompts.strangers import stranger
from guard.artifacts.folder import read, write
from guard.detectors.forget.detector import LONE_NAMES, NAMES
from lab.performance.artifacts import Artifacts, build
from lab.performance.compare import model_server
from lab.performance.contestants import Contestant, Surroundings, ecoguard
from lab.performance.cost import cost_of
from lab.performance.load import put_load
from lab.performance.measurement import Cell
from lab.performance.prompts import bodies

TURN_S = 10.0
CONNECTIONS = 16
CELLS = (
    Cell(CONNECTIONS, 64, "new", False),
    Cell(CONNECTIONS, 64, "new", True),
    Cell(CONNECTIONS, 64, "growing", False),
    Cell(CONNECTIONS, 64, "repeated", False),
    Cell(CONNECTIONS, 1000, "new", True),
)


def write_requests(trained: Path, folder: Path, requests: int) -> None:
    """Artifacts of so many requests; those that are there stay."""
    artifact = read(trained)
    rng = np.random.default_rng(0)
    tensors = artifact.tensors()
    weight = tensors["weight"].astype(np.float32)
    for number in range(requests):
        person = stranger((), rng)
        moved = weight + rng.normal(0, 0.01, weight.shape).astype(np.float32)
        if (folder / f"{number:04d}").exists():
            continue
        write(
            folder / f"{number:04d}",
            artifact.manifest.model_copy(update={"name": f"request {number}"}),
            tensors={**tensors, "weight": moved},
            files={NAMES: orjson.dumps([person]), LONE_NAMES: b"[]"},
        )


def configured(artifacts: Artifacts, requests: Path) -> dict[str, object]:
    """Sections of a configuration with the shipped detector and the folder of requests."""
    sections = artifacts.sections("forget", "malicious")
    detectors = sections["detectors"]
    detectors = dict(detectors) if isinstance(detectors, dict) else {}
    detectors["forget"] = {"kind": "forget-requests", "path": str(requests)}
    return {**sections, "detectors": detectors}


def observe(
    server: Contestant, seconds: float, turn_s: float = TURN_S
) -> Iterator[dict[str, float | str]]:
    """MiB before anything was asked, then after each turn of load; and how much was answered."""
    started = perf_counter()
    yield {"at_s": 0.0, "memory_mib": _mib(server), "answered": 0, "load": "none"}
    for number, cell in zip(count(), cycle(CELLS)):
        if perf_counter() - started >= seconds:
            return
        sent = bodies(cell.conversation, cell.tokens, stream=cell.stream, run=number)
        load = put_load(
            server.port,
            sent,
            connections=cell.connections,
            seconds=turn_s,
            most=1 << 30,
            deadline_s=300,
        )
        samples = asyncio.run(load)
        yield {
            "at_s": round(perf_counter() - started, 1),
            "memory_mib": _mib(server),
            "answered": len(samples.totals),
            "load": cell.name,
        }


def described(seen: Sequence[Mapping[str, float | str]]) -> dict[str, object]:
    """What the turns come to: growth is counted from the end of the first round of loads."""
    memory = [float(turn["memory_mib"]) for turn in seen]
    warm = memory[len(CELLS) :] or memory
    fifth = max(1, len(warm) // 5)
    return {
        "started_mib": memory[0],
        "most_mib": max(memory),
        "growth_mib": round(max(warm[-fifth:]) - max(warm[:fifth]), 1),
        "answered": sum(int(turn["answered"]) for turn in seen),
        "seconds": seen[-1]["at_s"],
        "turns": list(seen),
    }


def plot(seen: Sequence[Mapping[str, float | str]], out: Path) -> None:
    """MiB over minutes."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, panel = pyplot.subplots(figsize=(8, 3.5))
    minutes = [float(turn["at_s"]) / 60 for turn in seen]
    panel.plot(minutes, [float(turn["memory_mib"]) for turn in seen], marker=".")
    panel.set(xlabel="minutes of load", ylabel="MiB (proportional set size)", ylim=(0, None))
    panel.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(out, dpi=110)
    pyplot.close(figure)


def _mib(server: Contestant) -> float:
    return round(cost_of(server.pid).memory_bytes / (1 << 20), 1)


def parser() -> ArgumentParser:
    """The command's options."""
    options = ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--artifacts", type=Path, help="where detectors are kept; default OUT")
    options.add_argument("--requests", type=int, default=1000)
    options.add_argument("--seconds", type=float, default=600.0)
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print and write."""
    given = parser().parse_args(arguments)
    artifacts = build(given.artifacts or given.out / "artifacts")
    requests = given.out / f"requests-{given.requests}"
    write_requests(artifacts.forget, requests, given.requests)
    with TemporaryDirectory(prefix="ecoguard-bench-") as scratch, model_server(Path(scratch)) as up:
        make = ecoguard("memory", configured(artifacts, requests))
        with make(Surroundings(Path(scratch), up.url)) as server:
            seen: list[dict[str, float | str]] = []
            for turn in observe(server, given.seconds):
                seen.append(turn)
                sys.stdout.write(
                    f"{turn['at_s']:>8} s {turn['memory_mib']:>7} MiB {turn['load']}\n"
                )
                sys.stdout.flush()
                found = orjson.dumps(described(seen), option=orjson.OPT_INDENT_2)
                (given.out / "memory.json").write_bytes(found)
    plot(seen, given.out / "memory.png")


if __name__ == "__main__":
    main()
