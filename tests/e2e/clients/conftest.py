"""EcoGuard over a real vLLM for real clients, and programs that are such clients."""

import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from openai import AsyncOpenAI, OpenAI

from classifiers.model_server.vllm import VllmServer
from tests.e2e.clients.service import BLOCKED, Service, service
from tests.e2e.conftest import REPOSITORY

PROGRAMS = Path(__file__).parent / "programs"
CLIENTS_VARIABLE = "ECOGUARD_CLIENTS_PYTHON"
PROGRAM_SECONDS = 120
# Nothing listens on the discard port: a program that calls home fails at once instead of waiting.
NOWHERE = "http://127.0.0.1:9"

Run = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="session")
def proxy(vllm: VllmServer) -> Iterator[Service]:
    """An EcoGuard that answers a block with an error."""
    with service(vllm, "error") as made:
        yield made


@pytest.fixture(scope="session")
def polite_proxy(vllm: VllmServer) -> Iterator[Service]:
    """An EcoGuard that answers a block with a message."""
    with service(vllm, "message") as made:
        yield made


@pytest.fixture
def client(proxy: Service) -> Iterator[OpenAI]:
    """The openai package's client; modules for other packages have their own."""
    with OpenAI(base_url=proxy.url, api_key=proxy.key, max_retries=0) as made:
        yield made


@pytest.fixture
async def async_client(proxy: Service) -> AsyncIterator[AsyncOpenAI]:
    """Its twin for event loops."""
    async with AsyncOpenAI(base_url=proxy.url, api_key=proxy.key, max_retries=0) as made:
        yield made


@pytest.fixture
def polite(polite_proxy: Service) -> Iterator[OpenAI]:
    """A client of the proxy that refuses in words."""
    with OpenAI(base_url=polite_proxy.url, api_key=polite_proxy.key, max_retries=0) as made:
        yield made


@pytest.fixture(scope="session")
def client_python() -> str:
    """The interpreter of the clients' environment."""
    given = os.environ.get(CLIENTS_VARIABLE)
    python = (Path(given) if given else REPOSITORY / ".venv-clients/bin/python").absolute()
    if not os.access(python, os.X_OK):
        _missing(f"no client environment at {python}: run `make clients`")
    return str(python)


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js, with the openai package at hand."""
    found = shutil.which("node")
    if found is None or not (PROGRAMS.parent / "node_modules/openai").is_dir():
        _missing("no node, or no openai package of npm: install Node.js and run `make clients`")
    return found


@pytest.fixture(scope="session")
def run_python(
    client_python: str,  # first: without it there is no need for a server
    proxy: Service,
    polite_proxy: Service,
    tmp_path_factory: pytest.TempPathFactory,
) -> Run:
    """Runs a Python program of `programs/`; returns what it prints."""
    home = tmp_path_factory.mktemp("home")
    return lambda program: _run([client_python, program], proxy, polite_proxy, home)


@pytest.fixture(scope="session")
def run_node(
    node: str, proxy: Service, polite_proxy: Service, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """Runs a JavaScript program of `programs/`; returns what it prints."""
    home = tmp_path_factory.mktemp("home")
    return lambda program: _run([node, program], proxy, polite_proxy, home)


def _missing(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def _run(command: list[str], proxy: Service, polite: Service, home: Path) -> dict[str, Any]:
    given = [proxy.root, polite.root, proxy.key, proxy.model, BLOCKED]
    return run_program([*command, *given], home)


def run_program(command: list[str], home: Path) -> dict[str, Any]:
    """The JSON object in the last line that a program of `programs/` prints."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LANGSMITH_TRACING": "false",
    }
    done = subprocess.run(
        command,
        cwd=PROGRAMS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PROGRAM_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
