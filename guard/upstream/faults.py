"""What is wrong with a model server: causes from a closed set, counted and told in the log.

The client is told as little as before ("The model server failed"); the operator learns here which
server it was, why, and what to do. No line holds anything of a request.
"""

import logging
from collections.abc import Callable, Mapping
from time import monotonic
from typing import NamedTuple

import aiohttp

from guard.observability.metrics import Metrics

logger = logging.getLogger(__name__)

QUIET_S = 60.0
"""After a line on a server and a cause, the next one comes no sooner."""


class Cause(NamedTuple):
    """A kind of fault: what the server does, and what the operator may do about it."""

    said: str
    advice: str


CAUSES: Mapping[str, Cause] = {
    "unreachable": Cause("cannot be reached", "does it run, and is this its address?"),
    "untrusted": Cause("failed the TLS handshake", "see upstream.tls"),
    "late": Cause("did not answer in time", "is it overloaded? see upstream.first_byte_s"),
    "lost": Cause("dropped the connection", "its own log says why"),
    "unhealthy": Cause("says that it is not ready", "it may still load its model"),
    "key_refused": Cause(
        "refused EcoGuard's key", "upstream.api_key_env must name a variable with vLLM's --api-key"
    ),
    "no_route": Cause(
        "does not have the route", "is the address vLLM's own, without a path of one route?"
    ),
    "no_model": Cause(
        "does not serve a configured model", "give vLLM that --served-model-name, or correct models"
    ),
    "redirected": Cause("answered with a redirect", "is this vLLM's own address?"),
    "failed": Cause("failed inside", "its own log says why"),
    "unreadable": Cause("sent an unreadable answer", "is this a vLLM server?"),
}

FOUND_BY_CHECKS = frozenset({"unreachable", "untrusted", "unhealthy", "key_refused", "no_model"})
"""What a good health check disproves; the others show in requests alone."""


def cause_of_error(error: Exception) -> str:
    """The cause behind an error of the client library."""
    if isinstance(error, TimeoutError):
        return "late"
    if isinstance(error, aiohttp.ClientSSLError | aiohttp.ServerFingerprintMismatch):
        return "untrusted"
    return "unreachable" if isinstance(error, aiohttp.ClientConnectorError) else "lost"


def cause_of_status(status: int) -> str | None:
    """The cause that a status tells, None where it may be the request's own fault, or none."""
    if status in (401, 403):
        return "key_refused"
    if status in (502, 503, 504):
        return "unhealthy"
    if 300 <= status < 400:
        return "redirected"
    return "failed" if status >= 500 else None


class Faults:
    """The faults of one server, counted all, told once a minute at most each."""

    def __init__(
        self, server: str, metrics: Metrics, clock: Callable[[], float] = monotonic
    ) -> None:
        """`server` is its host and port."""
        self._server = server
        self._clock = clock
        self._counts = {cause: metrics.upstream_faults.labels(server, cause) for cause in CAUSES}
        self._told: dict[str, float] = {}
        self._untold: dict[str, int] = {}

    def note(self, cause: str, detail: str = "") -> None:
        """Count a fault, and tell it unless it was told just now; `detail` names what lacks."""
        self._counts[cause].inc()
        now = self._clock()
        if cause in self._told and now < self._told[cause] + QUIET_S:
            self._untold[cause] = self._untold.get(cause, 0) + 1
            return
        said, advice = CAUSES[cause]
        more = f" ({self._untold.pop(cause)} times more since)" if cause in self._untold else ""
        what = f"{said}: {detail}" if detail else said
        logger.warning("model server %s %s%s; %s", self._server, what, more, advice)
        self._told[cause] = now

    def over(self) -> None:
        """A health check was good: what it can find is over."""
        ended = self._told.keys() & FOUND_BY_CHECKS
        for cause in ended:
            del self._told[cause]
            self._untold.pop(cause, None)
        if ended:
            logger.info("model server %s is well again", self._server)
