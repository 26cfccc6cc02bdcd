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
from guard.terms.errors import GuardError

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
        """Every worker reloads its configuration."""
        for process in self.processes:
            if process.pid is not None and process.exitcode is None:
                os.kill(process.pid, signal.SIGHUP)


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
        listener = config.bind_socket()
        supervisor = Workers(config, [listener])
        supervisor.run()
        listener.close()
    if supervisor.failed:
        raise GuardError("no worker could start")


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
