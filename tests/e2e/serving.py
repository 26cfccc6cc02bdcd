"""Real servers beside the tests: a thread with an event loop of its own, for clients that block."""

from collections.abc import Iterator
from contextlib import contextmanager

from anyio.from_thread import start_blocking_portal
from starlette.types import ASGIApp

from tests.servers import serving


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve an app on a free loopback port; yields its base URL."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(serving(app)) as url,
    ):
        yield url
