"""Command `ecoguard status`, asked of a running proxy."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from guard.commands.main import app
from guard.commands.status import asked, lines, listening
from guard.server.app import create_app
from guard.settings import Settings
from guard.terms.errors import ConfigError, GuardError
from tests.e2e.serving import served
from tests.fakes import FakeVLLM
from tests.guard.conftest import key_of

KEYS = [key_of("boss", "admin"), key_of("app")]
DETECTORS = {"phrases": {"kind": "phrases", "phrases": ["launch code"]}}
POLICIES = [
    {"name": "stop", "detector": "phrases", "action": "block"},
    {"name": "new", "detector": "phrases", "action": "flag", "shadow": True},
]


@contextmanager
def proxy(vllm: FakeVLLM) -> Iterator[str]:
    """A running proxy's address."""
    with served(vllm) as upstream:
        settings = Settings.model_validate(
            {
                "upstream": {"url": upstream},
                "keys": KEYS,
                "detectors": DETECTORS,
                "policies": POLICIES,
            }
        )
        with served(create_app(settings)) as url:
            yield url


def run(url: str, *arguments: str, key: str = "boss") -> Result:
    command = ["status", "--url", url, *arguments]
    return CliRunner().invoke(app, command, env={"ECOGUARD_ADMIN_KEY": key})


def test_a_proxy_that_is_ready() -> None:
    with proxy(FakeVLLM()) as url:
        result = run(url)
    told = result.stdout.splitlines()
    assert result.exit_code == 0, result.output
    assert told[1].startswith("  ready, version ")
    assert "  policy stop: phrases -> block" in told
    assert "  policy new: phrases -> flag in shadow" in told


def test_a_model_server_that_is_not_ready_is_told_and_the_status_is_1() -> None:
    with proxy(FakeVLLM(healthy=False)) as url:
        result = run(url, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert (found["ready"], found["faults"]) == (False, ["unhealthy"])


def test_without_an_admins_key_the_policies_are_not_told() -> None:
    with proxy(FakeVLLM()) as url:
        result = run(url, key="app")
    assert "policies: not told (status 403); $ECOGUARD_ADMIN_KEY must hold" in result.stdout
    assert "policy stop" not in result.stdout


def test_nobody_is_there(tmp_path: Path) -> None:
    file = tmp_path / "guard.yaml"
    content = {"upstream": {"url": "http://127.0.0.1:9"}, "listen": {"port": 9}}
    file.write_text(yaml.safe_dump(content))
    result = CliRunner().invoke(app, ["status", "--config", str(file)])
    assert isinstance(result.exception, GuardError)
    assert str(result.exception).startswith("http://127.0.0.1:9: no proxy answers there")


def test_a_server_that_is_no_proxy() -> None:
    with pytest.raises(ConfigError, match="and not as EcoGuard does"):
        asked(lambda path: (404, b"" if path == "/metrics" else b"[]"))


@pytest.mark.parametrize(
    ("listen", "url"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"host": "0.0.0.0", "port": 1}, "http://127.0.0.1:1"),
        ({"host": "::1", "tls": {"cert": "a.pem"}}, "https://[::1]:8080"),
    ],
)
def test_where_a_proxy_is_reached(listen: dict[str, object], url: str) -> None:
    content = {"upstream": {"url": "http://127.0.0.1:9"}, "listen": listen, "keys": KEYS}
    assert listening(Settings.model_validate(content)) == url


def test_a_store_and_a_server_that_are_down() -> None:
    found = {
        "ready": False,
        "version": "1",
        "servers": {"a:1": False},
        "faults": ["unreachable"],
        "requests": 3,
        "in_flight": 1,
        "store": {"up": False, "waiting": 7, "written": 2, "dropped": 1},
        "admin": 401,
    }
    told = list(lines(found))
    assert told[0] == "NOT READY, version 1"
    assert told[1] == "model server a:1: DOWN"
    assert (
        list(lines({**found, "admin": 200, "policies": [], "artifacts": {"d": "ab" * 32}}))[-1]
        == "artifact d: abababababab"
    )
    assert "store: DOWN, 7 records wait, 2 written, 1 dropped" in told
