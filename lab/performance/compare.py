"""EcoGuard beside direct access, nginx and LiteLLM, over a model server that costs nothing.

    python -m lab.performance.compare --out FOLDER [--litellm-python PYTHON] [--quick]

Contestants take turns in every cell, round by round, so that a neighbour on the machine slows all
of them alike: the ratios are the result. Writes `results.json` and `results.png`.
"""

import asyncio
import itertools
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from classifiers.model_server.process import free_port
from lab.performance.artifacts import build
from lab.performance.contestants import (
    Contestant,
    Maker,
    Surroundings,
    contestants,
    missing,
    running,
)
from lab.performance.cost import cost_of
from lab.performance.load import LoadError, put_load
from lab.performance.measurement import DIRECT, Cell, Run, cells, summary
from lab.performance.model_server import PACES
from lab.performance.plot import plot
from lab.performance.prompts import bodies, bounded
from lab.performance.table import lines

CONNECTIONS = (1, 16, 64)
TOKENS = (64, 4000)
WARM_UP_REQUESTS = 30


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often: `seconds` a run, at most `most` requests of it, `rounds` runs."""

    cells: Sequence[Cell]
    rounds: int
    seconds: float
    most: int
    answer_tokens: int | None = None  # of a real model


@contextmanager
def model_server(folder: Path, options: Sequence[str] = ()) -> Iterator[Contestant]:
    """The scripted model server."""
    port = free_port()
    command = [sys.executable, "-m", "lab.performance.model_server", "--port", str(port)]
    with Contestant([*command, *options], port=port, log=folder / "model.log") as server:
        yield server


def measure(
    plan: Plan, upstream: Contestant, servers: Mapping[str, Contestant]
) -> Iterator[dict[str, object]]:
    """Each cell's summary, as soon as it is done."""
    everybody = {DIRECT: upstream, **servers}
    warmed: set[str] = set()
    for number, cell in enumerate(plan.cells):
        runs = []
        for turn in range(plan.rounds):
            for name, server in everybody.items():
                if name not in warmed:
                    asyncio.run(_warm_up(server, cell, plan.answer_tokens))
                    warmed.add(name)
                try:
                    runs.append(_run(name, server, cell, plan, number * plan.rounds + turn))
                except LoadError as error:  # the others' figures stand
                    sys.stderr.write(f"{cell.name}: {name}: {error}\n")
        yield summary(cell, runs)


async def _warm_up(server: Contestant, cell: Cell, answer_tokens: int | None) -> None:
    some = bodies("repeated", 16, stream=cell.stream, model=cell.model)
    if answer_tokens is not None:
        some = bounded(some, answer_tokens)
    await put_load(server.port, some, connections=1, seconds=10, most=WARM_UP_REQUESTS)


def _run(name: str, server: Contestant, cell: Cell, plan: Plan, number: int) -> Run:
    sent = bodies(cell.conversation, cell.tokens, stream=cell.stream, model=cell.model, run=number)
    if plan.answer_tokens is not None:
        sent = bounded(sent, plan.answer_tokens)
    if cell.conversation == "repeated":  # what is measured is the second time
        first = itertools.islice(sent, 1)
        asyncio.run(put_load(server.port, first, connections=1, seconds=60, most=1))
    before = cost_of(server.pid)
    samples = asyncio.run(
        put_load(
            server.port,
            sent,
            connections=cell.connections,
            seconds=plan.seconds,
            most=plan.most,
            deadline_s=300,
        )
    )
    after = cost_of(server.pid)
    return Run(
        contestant=name,
        requests=len(samples.totals),
        rate=samples.rate,
        p50_ms=samples.percentile(50),
        p99_ms=samples.percentile(99),
        first_byte_ms=samples.percentile(50, first=True),
        cpu_us=(after.cpu_s - before.cpu_s) / max(1, len(samples.totals)) * 1e6,
        memory_mib=after.memory_bytes / (1 << 20),
    )


def make_plan(given: Namespace) -> Plan:
    """The matrix and late answers, where screening hides; with --quick a corner of it."""
    if given.quick:
        some = cells((1, 16), (64,), ("new", "repeated"), (False, True))
        return Plan(some, 2, 0.5, given.most)
    every = cells(given.connections, given.tokens, ("new", "repeated"), (False, True))
    every += cells(given.connections, (64,), ("growing",), (False,))
    every += [Cell(1, tokens, "new", True, "late") for tokens in (16, 64)]
    every.append(Cell(1, 64, "repeated", True, "paced"))
    return Plan(every, given.rounds, given.seconds, given.most)


def compare(
    plan: Plan, makers: Mapping[str, Maker], upstream: Contestant, folder: Path, out: Path
) -> list[dict[str, object]]:
    """Run the plan before a server that runs; prints each cell as it is done."""
    results = []
    models = tuple(dict.fromkeys((*PACES, *(cell.model for cell in plan.cells))))
    with running(makers, Surroundings(folder, upstream.url, models)) as servers:
        for result in measure(plan, upstream, servers):
            results.append(result)
            sys.stdout.write("\n".join(lines(result)) + "\n\n")
            sys.stdout.flush()
            _write(out, results)
    plot(results, out / "results.png")
    return results


def chosen_makers(given: Namespace) -> dict[str, Maker]:
    """The contestants that the options ask for; says which cannot run here."""
    for line in missing(given.litellm_python):
        sys.stderr.write(line + "\n")
    made = contestants(build(given.artifacts or given.out / "artifacts"), given.litellm_python)
    return named(made, given.only)


def named(made: Mapping[str, Maker], only: Sequence[str] | None) -> dict[str, Maker]:
    """Those whose names were asked for; all where none were."""
    return {name: make for name, make in made.items() if not only or name in only}


def _write(folder: Path, results: Sequence[Mapping[str, object]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "results.json").write_bytes(orjson.dumps(results, option=orjson.OPT_INDENT_2))


def parser() -> ArgumentParser:
    """The command's options."""
    options = ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--artifacts", type=Path, help="where detectors are kept; default OUT")
    options.add_argument("--litellm-python", type=Path, help="an interpreter that has LiteLLM")
    options.add_argument("--only", nargs="*", help="names of contestants")
    options.add_argument("--quick", action="store_true", help="a corner of the matrix")
    options.add_argument("--connections", type=int, nargs="*", default=list(CONNECTIONS))
    options.add_argument("--tokens", type=int, nargs="*", default=list(TOKENS))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--most", type=int, default=20_000, help="requests of one run")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write."""
    given = parser().parse_args(arguments)
    makers, plan = chosen_makers(given), make_plan(given)
    with TemporaryDirectory(prefix="ecoguard-bench-") as scratch, model_server(Path(scratch)) as up:
        compare(plan, makers, up, Path(scratch), given.out)


if __name__ == "__main__":
    main()
