"""The proxy that an evaluation speaks to: one that runs, or one started for it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from classifiers.model_server.process import LOOPBACK, ServerProcess, free_port


@contextmanager
def live_proxy(config: Path, running: str | None, log: Path) -> Iterator[str]:
    """Yields the root of the proxy: `running`, or a process of its own with this configuration.

    The started one listens on a free loopback port and ends with the block; ServerError, with the
    end of its log, where it does not start.
    """
    if running is not None:
        yield running
        return
    port = free_port()
    log.parent.mkdir(parents=True, exist_ok=True)
    server = ServerProcess(
        [sys.executable, "-m", "guard", "serve", "--config", str(config)],
        port=port,
        environment={"ECOGUARD_LISTEN_HOST": LOOPBACK, "ECOGUARD_LISTEN_PORT": str(port)},
        log=log,
    )
    with server:
        yield server.url
