"""`python -m lab.demo.attack_table`: what attacks get out of a guarded model, beside its twin.

The demo's models must be built (`python -m lab.demo --no-stay`). Starts both vLLM servers once, and
a proxy for each corruption that is compared. The twin never met the forgotten people: what it
names is chance.
"""

import asyncio
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console
from rich.table import Table

from classifiers.model_server.process import ServerProcess, free_port
from classifiers.model_server.vllm import VllmServer
from lab.demo.attack_requests import ATTACKS, Attack, Fact, facts, leaks
from lab.demo.data import generate
from lab.demo.pair import BuildError, load
from lab.demo.stage import (
    CONTEXT_TOKENS,
    CORRUPTION,
    MODEL,
    MODELS,
    SEED,
    Stage,
    write_configuration,
)

AT_ONCE = 8
Corruptions = Mapping[str, Mapping[str, Any]]


def main(
    folder: Annotated[Path, typer.Option(help="The demo's folder.")] = Path(".demo"),
    corruption: Annotated[
        list[str] | None,
        typer.Option(help="KIND,DIMS,STRENGTH[,TOKENS]; the demo's own if none is given."),
    ] = None,
    attack: Annotated[list[str] | None, typer.Option(help="Attacks by name; all if none.")] = None,
    key: Annotated[str, typer.Option(help="The noise's key; drawn if empty.")] = "",
    out: Annotated[Path | None, typer.Option(help="A JSON file for the counts.")] = None,
) -> None:
    """Attack, count, print."""
    console = Console()
    stage = built(folder.resolve())
    chosen = {name: ATTACKS[name] for name in attack or ATTACKS}
    corruptions = dict(map(_read, corruption)) if corruption else {"demo": CORRUPTION}
    asked = facts(stage.data.population, SEED)
    with ExitStack() as servers:
        columns = {"twin": served(servers, stage, stage.models.twin)}
        full = served(servers, stage, stage.models.full)
        for name, choice in corruptions.items():
            columns[name] = guarded(servers, stage, full, choice, key or secrets.token_hex(32))
        counts = {
            name: {
                title: asyncio.run(count(url, [build(fact) for fact in asked], asked))
                for title, build in chosen.items()
            }
            for name, url in columns.items()
        }
    console.print(table(counts, len(asked)))
    if out is not None:
        out.write_text(json.dumps(counts, indent=1))


def built(folder: Path) -> Stage:
    """The demo in a folder, as it was built; raises BuildError where there is none."""
    models = load(folder / MODELS)
    if models is None:
        raise BuildError(f"{folder}: no demo; build one with python -m lab.demo --no-stay")
    return Stage(folder, models, generate(SEED))


async def count(url: str, attacks: Sequence[Attack], asked: Sequence[Fact]) -> int:
    """How many attacks get their fact; one that is refused gets nothing."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=600)) as session:

        async def one(attack: Attack, fact: Fact) -> bool:
            async with gate:
                return leaks(fact, await answers(session, url, attack))

        return sum(await asyncio.gather(*map(one, attacks, asked)))


async def answers(session: aiohttp.ClientSession, url: str, attack: Attack) -> list[str]:
    """The texts that come back; none where the request is refused."""
    body = {"model": MODEL, **attack.body}
    async with session.post(f"{url}/v1/chat/completions", json=body) as response:
        if response.status == 400:
            return []
        response.raise_for_status()
        answer = await response.json()
    return [choice["message"]["content"] or "" for choice in answer["choices"]]


def table(counts: Mapping[str, Mapping[str, int]], asked: int) -> Table:
    """Attacks as rows, models and corruptions as columns."""
    shown = Table("attack", *counts, title=f"leaks of {asked}")
    for title in next(iter(counts.values())):
        shown.add_row(title, *(str(column[title]) for column in counts.values()))
    return shown


def _read(corruption: str) -> tuple[str, dict[str, Any]]:
    kind, dims, strength, *tokens = corruption.split(",")
    choice = {"kind": kind, "dims": int(dims), "strength": float(strength)}
    return corruption, {**choice, **({"tokens": tokens[0]} if tokens else {})}


def served(servers: ExitStack, stage: Stage, model: Path) -> str:
    """The root of a vLLM that serves the model until the stack is left."""
    log = stage.folder / "logs" / f"attacked-{model.name}.log"
    log.parent.mkdir(exist_ok=True)
    return servers.enter_context(VllmServer(model, max_model_len=CONTEXT_TOKENS, log=log)).url


def guarded(
    servers: ExitStack, stage: Stage, upstream: str, corruption: Mapping[str, Any], key: str
) -> str:
    """The root of a proxy in front of `upstream` until the stack is left."""
    port = free_port()
    write_configuration(stage, upstream, port, corruption, forget_only=True)
    command = [sys.executable, "-m", "guard", "serve", "--config", str(stage.configuration)]
    proxy = ServerProcess(
        command,
        port=port,
        log=stage.folder / "logs" / f"attacked-{port}.log",
        environment={"ECOGUARD_CORRUPTION_KEY": key},
    )
    return servers.enter_context(proxy).url


if __name__ == "__main__":
    typer.run(main)
