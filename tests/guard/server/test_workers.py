"""Several worker processes: one port, one set of metrics, replaced when they die."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import httpx2
import pytest
import yaml

from classifiers.model_server.process import ServerError, ServerProcess, free_port
from lab.performance.cost import descendants
from tests.guard.conftest import bearer, key_of

CHAT = "/v1/chat/completions"
PATIENCE = 120
"""Seconds that processes may take which compete for the machine: nothing here is about time."""
BLOCKED = {"model": "m", "messages": [{"role": "user", "content": "the launch code"}]}


def command(folder: Path, port: int, **changes: object) -> list[str]:
    content = {
        "listen": {"port": port, "drain_s": 1},
        "upstream": {"url": "http://127.0.0.1:9"},
        "detectors": {"phrases": {"kind": "phrases", "phrases": ["launch code"]}},
        "policies": [{"name": "stop", "detector": "phrases", "action": "block"}],
        **changes,
    }
    file = folder / "guard.yaml"
    file.write_text(yaml.safe_dump(content))
    return [sys.executable, "-m", "guard", "serve", "--config", str(file), "--workers", "2"]


KEYS = [key_of("ops", "admin"), key_of("shop")]


class Serving(ServerProcess):
    """The proxy with two workers."""

    def workers(self) -> set[int]:
        """The processes that serve."""
        assert self._process is not None
        lines = {p: _command_line(p) for p in descendants(self._process.pid)}
        return {process for process, line in lines.items() if "spawn_main" in line}

    def parent(self) -> int:
        """The process that watches over them."""
        (parent,) = {_parent(worker) for worker in self.workers()}
        return parent


def _command_line(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except OSError:
        return ""


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder, port = tmp_path_factory.mktemp("workers"), free_port()
    with Serving(command(folder, port), port=port, log=folder / "log", health="/livez") as started:
        yield started


def metric(server: Serving, pattern: str) -> float:
    """A series of all workers, as whichever of them is asked says; 0 where there is none."""
    text = httpx2.get(f"{server.url}/metrics", timeout=PATIENCE).text
    found = re.search(pattern + " (.+)", text)
    return float(found[1]) if found else 0.0


def counted(server: Serving) -> float:
    """Blocked requests."""
    return metric(server, r'ecoguard_requests_total\{action="block".*\}')


def reloads(server: Serving) -> float:
    """Reloads that went well."""
    return metric(server, r'ecoguard_reloads_total\{result="ok"\}')


def ask(server: Serving, times: int) -> None:
    """Each over a connection of its own, so that both workers get some."""
    for _ in range(times):
        assert httpx2.post(server.url + CHAT, json=BLOCKED, timeout=PATIENCE).status_code == 400


def test_where_it_serves_is_said_once_all_workers_are_ready(server: Serving) -> None:
    told = f"serving on {server.url}, 2 workers"
    deadline = monotonic() + PATIENCE
    while told not in (log := server.log.read_text()):
        assert monotonic() < deadline
        ask(server, 1)
    assert log.count("Application startup complete") == 2
    assert log.rindex("Application startup complete") < log.index(told)
    assert "Uvicorn running" not in log


def test_a_port_that_is_taken_is_named(tmp_path: Path, server: Serving) -> None:
    port = int(server.url.rpartition(":")[2])
    done = subprocess.run(command(tmp_path, port), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    told = f"listen: 127.0.0.1:{port}: Address already in use"
    assert done.stderr.splitlines()[-1].endswith(told)


def test_every_worker_speaks_for_all(server: Serving) -> None:
    before = counted(server)
    ask(server, 12)
    assert {counted(server) - before for _ in range(6)} == {12}
    text = httpx2.get(f"{server.url}/metrics", timeout=PATIENCE).text
    assert "ecoguard_in_flight_requests 0.0" in text
    assert "ecoguard_build_info" in text


def test_a_dead_worker_is_replaced_and_what_it_counted_stays(server: Serving) -> None:
    before, workers = counted(server), server.workers()
    assert len(workers) == 2
    victim = min(workers)
    os.kill(victim, signal.SIGKILL)
    deadline = monotonic() + PATIENCE
    while (now := server.workers()) == workers or len(now) < 2:
        assert monotonic() < deadline
        ask(server, 1)
    assert victim not in now
    assert counted(server) >= before


def test_hang_up_reloads_all_and_ends_none(server: Serving) -> None:
    workers, before = server.workers(), reloads(server)
    os.kill(server.parent(), signal.SIGHUP)
    deadline = monotonic() + PATIENCE
    while reloads(server) < before + len(workers):  # one that starts only now reloads when it is up
        assert monotonic() < deadline
        ask(server, 1)
    assert server.workers() == workers


def test_an_administrators_reload_reaches_every_worker(tmp_path: Path) -> None:
    port = free_port()
    started = command(tmp_path, port, keys=KEYS)
    with Serving(started, port=port, log=tmp_path / "log", health="/livez") as proxy:
        phrases = {"kind": "phrases", "phrases": ["missile code"]}
        command(tmp_path, port, keys=KEYS, detectors={"phrases": phrases})
        reload = f"{proxy.url}/v1/guard/admin/reload"
        assert httpx2.post(reload, headers=bearer("ops"), timeout=PATIENCE).status_code == 200
        in_a_row, deadline = 0, monotonic() + PATIENCE
        while in_a_row < 12:  # each over a connection of its own: both workers answer
            assert monotonic() < deadline
            answer = httpx2.post(
                proxy.url + CHAT, json=BLOCKED, headers=bearer("shop"), timeout=PATIENCE
            )
            in_a_row = 0 if answer.status_code == 400 else in_a_row + 1


def test_a_configuration_that_cannot_be_used_ends_the_start(tmp_path: Path) -> None:
    port = free_port()
    detectors = {"phrases": {"kind": "artifact", "path": "nowhere"}}
    line = command(tmp_path, port, detectors=detectors)
    with pytest.raises(ServerError, match="no worker could start"):
        Serving(line, port=port, log=tmp_path / "log", health="/livez").start()
