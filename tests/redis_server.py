"""A real Redis server in a temporary folder, on a Unix socket: killed, stopped, started again."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select

import pytest


class RedisServer:
    """A server that keeps nothing on disk."""

    def __init__(self, folder: Path, program: str) -> None:
        self._socket = folder / "redis.sock"
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As the configuration has it."""
        return f"unix://{self._socket}"

    def start(self) -> None:
        """Start the server and wait until it listens."""
        options = ["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no"]
        self._process = subprocess.Popen(
            [self._program, *options, "--unixsocket", str(self._socket), "--logfile", ""],
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout
        for line in self._process.stdout:
            if b"ready to accept connections" in line.lower():
                return
        raise RuntimeError("redis-server did not start")

    def kill(self) -> None:
        """End it at once, as a crash would, with everything in it."""
        if self._process:
            self._process.kill()
            self._process.wait()
            if self._process.stdout:
                self._process.stdout.close()
            self._process = None

    @contextmanager
    def hung(self) -> Iterator[None]:
        """Inside the block it takes connections and answers nothing."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Forget everything."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            connection.sendall(b"FLUSHALL\r\n")
            select([connection], [], [], 5)


@contextmanager
def running() -> Iterator[RedisServer]:
    """A started server; gone, with its files, afterwards. Skips where none is installed."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no Redis server is installed")
    folder = Path(tempfile.mkdtemp(prefix="guard-redis-"))
    server = RedisServer(folder, program)
    try:
        server.start()
        yield server
    finally:
        server.kill()
        shutil.rmtree(folder, ignore_errors=True)
