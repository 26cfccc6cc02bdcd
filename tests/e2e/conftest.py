"""A real vLLM that serves the demo model, shared by all end-to-end tests of a run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from classifiers.model_server.vllm import VllmServer, find_interpreter
from guard.terms.errors import ConfigError
from lab.demo.stage import Stage, set_stage

REPOSITORY = Path(__file__).parents[2]
DEMO_VARIABLE = "ECOGUARD_DEMO_MODELS"
# So that any model, however small, calls the tool it must and ends the JSON it begins: JSON schemas
# hold it, and let it pad nothing with white space. (The strict form of tool calling lets it.)
TOOLS_AND_JSON = (
    *("--enable-auto-tool-choice", "--tool-call-parser", "hermes"),
    "--structured-outputs-config",
    '{"backend": "xgrammar", "disable_any_whitespace": true}',
)


@pytest.fixture(scope="session")
def vllm_interpreter() -> Path:
    """The Python that has vLLM. Without it these tests are skipped, but fail in CI."""
    variable = os.environ.get("ECOGUARD_VLLM_PYTHON")
    try:
        return find_interpreter(None if variable else REPOSITORY / ".venv-vllm/bin/python")
    except ConfigError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def demo_models() -> Path:
    """The folder with the demo's models (`full`, `twin`), built once and kept in `.demo/models`.

    $ECOGUARD_DEMO_MODELS names another folder, used as it is.
    """
    given = os.environ.get(DEMO_VARIABLE)
    if given:
        return Path(given)
    from lab.demo.pair import build
    from lab.demo.stage import MODELS, SEED

    return build(REPOSITORY / ".demo" / MODELS, SEED).folder


@pytest.fixture(scope="session")
def stage() -> Stage:
    """The demo's stage, built once and kept in `.demo/`."""
    return set_stage(REPOSITORY / ".demo", Console(quiet=True))


@pytest.fixture(scope="session")
def vllm(
    vllm_interpreter: Path, demo_models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[VllmServer]:
    """A running server with the full demo model."""
    log = tmp_path_factory.mktemp("vllm") / "vllm.log"
    with VllmServer(
        demo_models / "full",
        interpreter=vllm_interpreter,
        extra_arguments=TOOLS_AND_JSON,
        environment={"VLLM_ENFORCE_STRICT_TOOL_CALLING": "0"},
        log=log,
    ) as server:
        yield server
