"""An HTTP server as a child process that is ready when entered and gone when left."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic
from typing import IO, Self

from classifiers.model_server import lifeline
from classifiers.model_server.http_client import EndpointError, HttpClient
from guard.terms.errors import GuardError

LOOPBACK = "127.0.0.1"
POLL_SECONDS = 0.1
LOG_TAIL_LINES = 30


class ServerError(GuardError):
    """A server could not be started; the message holds the end of its log."""


class ServerProcess:
    """A server on a loopback port, with all processes it starts.

    It ends when this process does, in whatever way (see `lifeline`). `ready_within` and `grace`
    are seconds: the deadline for `health` to answer 200, and the time between SIGTERM and
    SIGKILL. A server that was killed or stopped can be started again and keeps its port, so it can
    play an outage. Its output is appended to `log`, a temporary file when None.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
        health: str = "/health",
        ready_within: float = 60.0,
        grace: float = 10.0,
    ) -> None:
        self.command = tuple(command)
        self.port = port
        self.environment = dict(environment or {})
        self.log = log or _temporary_log()
        self.health = health
        self.ready_within = ready_within
        self.grace = grace
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's root, without a path."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether the server's process lives (it may not answer yet)."""
        return self._process is not None and self._process.poll() is None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and return when `health` answers 200.

        Raises ServerError when it ends by itself or is not ready in time; nothing is left running.
        """
        if self.is_running:
            raise ServerError(f"already running at {self.url}")
        self._close()
        with self.log.open("ab") as log:
            self._process = self._spawn(log)
        try:
            self._wait_until_ready(self._process)
        except BaseException:  # Ctrl-C while waiting, too
            self.stop()
            raise

    def stop(self) -> None:
        """End the server and all its children: SIGTERM, then SIGKILL after the grace time."""
        if self._process is None:
            return
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(self.grace + 5)
        except subprocess.TimeoutExpired:
            self.kill()
        finally:
            self._close()

    def kill(self) -> None:
        """End the server and all its children at once, as a crash would (for fault drills)."""
        if self._process is None:
            return
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._close()

    def log_tail(self) -> str:
        """The last lines of the server's log."""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-LOG_TAIL_LINES:])

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C in a terminal reaches only us, and we end the server.
        return subprocess.Popen(
            [sys.executable, "-I", lifeline.__file__, str(self.grace), *self.command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, **self.environment},
            start_new_session=True,
        )

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = monotonic() + self.ready_within
        while not is_healthy(self.port, self.health):
            try:
                process.wait(POLL_SECONDS)
            except subprocess.TimeoutExpired:
                if monotonic() < deadline:
                    continue
                reason = f"not ready after {self.ready_within:g} s"
            else:
                reason = f"ended with status {_read_status(process)} before it was ready"
            raise ServerError(f"server {reason}; end of {self.log}:\n{self.log_tail()}")

    def _close(self) -> None:
        process, self._process = self._process, None
        for pipe in (process.stdin, process.stdout) if process else ():
            if pipe is not None:
                pipe.close()


def is_healthy(port: int, path: str = "/health") -> bool:
    """Whether a server on this loopback port answers `path` with 200."""
    try:
        with HttpClient(f"http://{LOOPBACK}:{port}", timeout=2) as client:
            return client.request("GET", path)[0] == 200
    except EndpointError:
        return False


def free_port() -> int:
    """A loopback port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        port: int = listener.getsockname()[1]
        return port


def _read_status(process: subprocess.Popen[bytes]) -> str:
    status = process.stdout.read().decode().strip() if process.stdout else ""
    return status or "unknown"


def _temporary_log() -> Path:
    descriptor, name = tempfile.mkstemp(prefix="server-", suffix=".log")
    os.close(descriptor)
    return Path(name)
