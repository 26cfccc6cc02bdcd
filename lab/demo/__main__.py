"""`python -m lab.demo`: a model that forgets six people, beside the one that does not.

Malicious prompts that do not reach it are shown, too.
"""

import asyncio
import secrets
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from classifiers.model_server.process import ServerProcess, free_port
from classifiers.model_server.vllm import VllmServer
from guard.commands.entry_point import run_app
from lab.demo import attacks
from lab.demo.comparison import Compared, Endpoints, compare, summarise
from lab.demo.questions import Group, QuestionAnswer
from lab.demo.report import (
    TITLES,
    blocking_table,
    example_table,
    prompt_table,
    summary_table,
)
from lab.demo.stage import (
    CONTEXT_TOKENS,
    MODEL,
    SEED,
    Stage,
    set_stage,
    write_configuration,
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

GROUPS: tuple[Group, ...] = ("forget", "retain", "general")
MOST_PAIRS = 15


@app.command()
def run(
    folder: Annotated[Path, typer.Option(help="Where models and artifacts are kept.")] = Path(
        ".demo"
    ),
    port: Annotated[int, typer.Option(help="The proxy's port; 0 takes a free one.")] = 8080,
    questions: Annotated[int, typer.Option(help="Questions per group.", min=1)] = 40,
    stay: Annotated[bool, typer.Option(help="Stay up until Ctrl-C.")] = True,
) -> None:
    """Build what is missing, start vLLM and the proxy, ask, show, stay up."""
    console = Console()
    stage = set_stage(folder.resolve(), console)
    with running(stage, port or free_port(), console) as endpoints:
        asked = sample(stage, questions)
        with console.status(f"asking {len(asked)} questions three times each"):
            compared = asyncio.run(compare(asked, endpoints))
        rows = attacks.attack_rows(min(questions, MOST_PAIRS), SEED)
        with console.status(f"trying {len(rows)} prompts, half of them malicious"):
            screened = asyncio.run(attacks.screen(rows, endpoints.guarded, MODEL))
        show(compared, screened, console)
        if stay:
            console.print(invitation(endpoints.guarded, compared))
            wait()


@contextmanager
def running(stage: Stage, port: int, console: Console) -> Iterator[Endpoints]:
    """Two vLLM servers and the proxy; all of them end with the block, whatever ends it."""
    logs = stage.folder / "logs"
    logs.mkdir(exist_ok=True)
    full = VllmServer(stage.models.full, max_model_len=CONTEXT_TOKENS, log=logs / "vllm.log")
    twin = VllmServer(stage.models.twin, max_model_len=CONTEXT_TOKENS, log=logs / "vllm-twin.log")
    write_configuration(stage, full.url, port)
    proxy = ServerProcess(
        [sys.executable, "-m", "guard", "serve", "--config", str(stage.configuration)],
        port=port,
        log=logs / "ecoguard.log",
        environment={"ECOGUARD_CORRUPTION_KEY": secrets.token_hex(32)},
    )
    with ExitStack() as servers:
        with console.status("starting vLLM twice and the proxy (half a minute)"):
            for server in (full, twin, proxy):
                servers.enter_context(server)
        yield Endpoints(full.url, proxy.url, twin.url)


def sample(stage: Stage, count: int) -> list[QuestionAnswer]:
    """`count` questions per group, of wordings that neither model nor classifier has seen."""
    rng = np.random.default_rng(SEED)
    chosen: list[QuestionAnswer] = []
    for group in GROUPS:
        rows = stage.data.select(group, "held_out")
        picked = rng.permutation(len(rows))[:count]
        chosen += [rows[int(index)] for index in picked]
    return chosen


def show(compared: list[Compared], screened: list[attacks.Screened], console: Console) -> None:
    """The tables, examples first so that the figures stand last on the screen."""
    console.print(example_table(compared, per_group=3))
    console.print(prompt_table(screened, per_family=1))
    console.print(
        blocking_table([attacks.summarise(source, screened) for source in attacks.FAMILIES])
    )
    console.print(summary_table([summarise(group, compared) for group in TITLES]))


def invitation(base: str, compared: list[Compared]) -> str:
    """How to ask for oneself."""
    question = compared[0].row.question
    body = f'{{"model": "{MODEL}", "messages": [{{"role": "user", "content": "{question}"}}]}}'
    return f"""
The proxy is up at {base} (its log and vLLM's are in .demo/logs). Ask it:

  curl {base}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{body}'

or from Python:

  from openai import OpenAI
  client = OpenAI(base_url="{base}/v1", api_key="unused")
  question = [{{"role": "user", "content": "{question}"}}]
  answer = client.chat.completions.create(model="{MODEL}", messages=question, temperature=0)
  print(answer.choices[0].message.content)

Ctrl-C ends it all."""


def wait() -> None:
    """Until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        signal.pause()


def main() -> None:
    """Entry point."""
    run_app(app)


if __name__ == "__main__":
    main()
