"""Several processes on one port, sharing nothing: `ecoguard serve --workers N`.

Each worker reads the configuration and its artifacts by itself; memory-mapped tables are in memory
once, as the kernel's pages. The parent only watches: it replaces a worker that died, hands signals
on, and ends when all workers have drained. Metrics are kept in files that every worker reads, so
whichever answers a scrape speaks for all.
"""

import logging
import os
import signal
import socket
import threading
from collections.abc import Mapping
from multiprocessing import connection, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors.multiprocess import Multiprocess, Process

from guard.gateway.sizing import WORKERS
from guard.observability.shared_metrics import SHARED_FOLDER, forget_process
from guard.terms.errors import ConfigError, GuardError, about

logger = logging.getLogger(__name__)

CONFIGURATION = "ECOGUARD_WORKER_CONFIG"
HEALTH_S = 30
RETRY_S = 2.0


class Workers(Multiprocess):
    """uvicorn's supervisor, but a worker that fails does not take the others along.

    A configuration that cannot be read ends everything at the start only: later, workers that
    serve go on, and the one that is missing is tried again. SIGHUP goes to the workers, which
    reload without dropping a request.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket]) -> None:
        super().__init__(config, sockets)
        self.failed = False
        self._has_served = False
        self._is_announced = False
        self._to_reload: set[Process] = set()

    def keep_subprocess_alive(self) -> None:
        """Replace workers that died or hang."""
        for place, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if _answers(process):
                self._has_served = self._has_served or process.is_ready(1)
            else:
                self._bury(process)
                if not self.should_exit.is_set():
                    self.processes[place] = Process(self.config, self.sockets)
                    self.processes[place].start()
        self._announce()
        self._hand_on()

    def _announce(self) -> None:
        """Say where the proxy is once every worker has read its artifacts: seconds after the port
        was taken, which is when uvicorn would say so."""
        if not self._is_announced and all(process.is_ready(1) for process in self.processes):
            self._is_announced = True
            scheme = "https" if self.config.is_ssl else "http"
            place = (scheme, *self.sockets[0].getsockname()[:2])
            logger.info("serving on %s://%s:%s, %d workers", *place, len(self.processes))

    def _bury(self, process: Process) -> None:
        pid = process.pid
        process.kill()
        process.join()
        if pid is not None:
            forget_process(pid)
        logger.error("worker %s ended with status %s", pid, process.exitcode)
        if process.exitcode == STARTUP_FAILURE:
            self.failed = not self._has_served
            if self.failed:
                self.should_exit.set()
            else:
                self.should_exit.wait(RETRY_S)

    def handle_hup(self) -> None:
        """Every worker reloads its configuration; one that starts only now does so when it is
        ready, since the signal would end it before."""
        self._to_reload = set(self.processes)
        self._hand_on()

    def _hand_on(self) -> None:
        for process in self._to_reload & set(self.processes):
            if process.is_ready(1) and process.pid is not None:
                os.kill(process.pid, signal.SIGHUP)
                self._to_reload.discard(process)


def _answers(process: Process) -> bool:
    """Whether a worker lives and says so in time; one that ends meanwhile is not waited for."""
    for _ in range(HEALTH_S):
        if not process.process.is_alive():
            return False
        if process.ping(1):
            return True
    return False


def serve_workers(file: Path, workers: int, options: Mapping[str, Any]) -> None:
    """Serve until a signal ends it; raises GuardError when no worker could start.

    `options` are the server's (`uvicorn.Config`).
    """
    os.environ[CONFIGURATION] = str(file.resolve())
    os.environ[WORKERS] = str(workers)
    with TemporaryDirectory(prefix="ecoguard-metrics-") as shared:
        os.environ[SHARED_FOLDER] = shared
        config = uvicorn.Config(
            "guard.server.workers:worker_app", factory=True, workers=workers, **options
        )
        listener = _bound(config.host, config.port)
        supervisor = Workers(config, [listener])
        supervisor.run()
        listener.close()
    if supervisor.failed:
        raise GuardError("no worker could start")


def _bound(host: str, port: int) -> socket.socket:
    """The socket that all workers listen on; ConfigError where the address cannot be had."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        with about("listen"):
            raise ConfigError(f"{host}:{port}: {error.strerror}") from error
    listener.set_inheritable(True)
    return listener


def worker_app() -> ASGIApp:
    """The application of one worker process; ends the process where it cannot be made."""
    from guard.gateway.sizing import settle
    from guard.observability.logs import configure
    from guard.server.app import create_app
    from guard.settings import load, placing

    file = Path(os.environ[CONFIGURATION])
    try:
        settings = load(file)
        configure(settings.logs)
        logging.getLogger("uvicorn.access").propagate = False  # `guard.access` takes its place
        with placing(file):
            app = create_app(settings, source=file, announce=_wake_all)
    except GuardError as error:
        logger.error("%s", error)
        raise SystemExit(STARTUP_FAILURE) from None
    settle()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    return app


def _wake_all() -> None:
    """The parent hands the signal on to every worker; this one reloads once more."""
    parent = parent_process()
    if parent is not None and parent.pid is not None:
        os.kill(parent.pid, signal.SIGHUP)


def _end_with_parent() -> None:
    """A parent that was killed cannot end its workers."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)
