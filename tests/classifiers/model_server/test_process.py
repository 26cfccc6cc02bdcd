"""ServerProcess and its lifeline, with real processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from classifiers.model_server.process import ServerError, ServerProcess, free_port, is_healthy
from tests.classifiers.fake_server import FakeServer

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeServer]:
    fake = FakeServer(tmp_path)
    yield fake
    fake.close()


def make(
    fake: FakeServer, mode: str, ready_within: float = 20, grace: float = 0.3
) -> ServerProcess:
    port = free_port()
    return ServerProcess(
        [str(fake.script), "--port", str(port)],
        port=port,
        environment=fake.environment(mode),
        log=fake.folder / "server.log",
        ready_within=ready_within,
        grace=grace,
    )


@contextmanager
def starter(fake: FakeServer, mode: str) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that starts the server and waits for ever."""
    program = (
        "import signal, sys; from pathlib import Path\n"
        "from classifiers.model_server.process import *\n"
        # Where SIGINT came ignored, as to a background job's children, Python leaves it so.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "port = free_port(); command = [sys.argv[1] + '/python', '--port', str(port)]\n"
        "log = Path(sys.argv[1]) / 'server.log'\n"
        "with ServerProcess(command, port=port, log=log, grace=0.3):\n"
        "    signal.pause()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(fake.folder)],
        env={**os.environ, **fake.environment(mode), "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("mode", ["ready", "deaf"])
def test_it_is_ready_when_entered_and_its_whole_group_gone_when_left(
    fake: FakeServer, mode: str
) -> None:
    with make(fake, mode) as server:
        fake.wait_until_up()
        assert server.is_running
        assert is_healthy(server.port)
    assert not server.is_running
    assert not is_healthy(server.port)
    fake.wait_until_gone()


def test_a_server_that_dies_is_reported_with_its_status_and_log(fake: FakeServer) -> None:
    server = make(fake, "dies")
    with pytest.raises(ServerError, match=r"status 1 before it was ready(.|\n)*core failed"):
        server.start()
    assert not server.is_running


def test_a_command_that_is_not_there_is_reported(tmp_path: Path) -> None:
    server = ServerProcess([str(tmp_path / "nothing")], port=free_port(), log=tmp_path / "log")
    with pytest.raises(ServerError, match=r"before it was ready(.|\n)*No such file"):
        server.start()


def test_a_server_that_is_never_ready_is_ended_at_the_deadline(fake: FakeServer) -> None:
    server = make(fake, "never", ready_within=0.5)
    with pytest.raises(ServerError, match=r"not ready after 0\.5 s"):
        server.start()
    assert not server.is_running
    fake.wait_until_gone()


def test_an_exception_inside_ends_the_group(fake: FakeServer) -> None:
    with pytest.raises(EOFError), make(fake, "ready"):
        raise EOFError
    fake.wait_until_gone()


@pytest.mark.parametrize("mode", ["ready", "never"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_it_does_not_outlive_its_starter(
    fake: FakeServer, mode: str, number: signal.Signals
) -> None:
    """SIGINT is Ctrl-C (handled), SIGTERM and SIGKILL end the starter without a word."""
    with starter(fake, mode) as process:
        fake.wait_until_up()
        process.send_signal(number)
        fake.wait_until_gone()


def test_kill_ends_the_group_at_once_and_a_new_start_keeps_the_port(fake: FakeServer) -> None:
    with make(fake, "deaf", grace=60) as server:
        fake.wait_until_up()
        server.kill()
        fake.wait_until_gone()
        assert not is_healthy(server.port)
        url = server.url
        server.start()
        fake.wait_until_up()
        assert (server.url, is_healthy(server.port)) == (url, True)
        server.kill()
    fake.wait_until_gone()


def test_a_running_server_cannot_be_started_twice(fake: FakeServer) -> None:
    with make(fake, "ready") as server, pytest.raises(ServerError, match="already running"):
        server.start()


def test_stop_and_kill_without_a_server_do_nothing(fake: FakeServer) -> None:
    server = make(fake, "ready")
    server.stop()
    server.kill()
    assert not server.is_running
