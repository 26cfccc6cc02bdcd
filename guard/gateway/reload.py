"""Hot reload: a new configuration is read aside, then put in service, or refused as a whole."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

from pydantic import BaseModel

from guard import __version__
from guard.gateway.loading import Resources, load_resources
from guard.gateway.service import Current, Service
from guard.observability.metrics import Metrics
from guard.recognition.known import KnownTexts
from guard.screening.score_cache import ScoreCache
from guard.settings import Settings, load, placing
from guard.terms.errors import ConfigError, GuardError, about

logger = logging.getLogger(__name__)

# What the process was started with: sockets, routes, connections, the store's thread.
FIXED = ("listen", "check", "cors", "logs", "recognition", "redis", "store", "tracing")

Announce = Callable[[], None]
Load = Callable[[Path], tuple[Settings, Resources]]


def read(file: Path) -> tuple[Settings, Resources]:
    """The configuration in a file, and everything it names; blocking."""
    settings = load(file)
    with placing(file):
        return settings, load_resources(settings)


class Reloader:
    """Puts what the configuration file says now in service.

    One reload at a time. Requests under way finish on the resources that they began with. When
    anything is wrong, what was in service stays, and the error says why.
    """

    def __init__(
        self,
        file: Path,
        current: Current,
        metrics: Metrics,
        load: Load = read,
        announce: Announce = lambda: None,
        cache: ScoreCache | None = None,
        known: KnownTexts | None = None,
    ) -> None:
        """`announce` tells the other processes of this proxy that they have to reload too; `cache`
        and `known` go on from service to service."""
        self._announce = announce
        self._cache = cache
        self._known = known
        self._file = file
        self._current = current
        self._metrics = metrics
        self._load = load
        self._one = asyncio.Lock()

    async def reload(self) -> Service:
        """Read the file and everything it names, and put it in service.

        Raises GuardError, naming file and key, and changes nothing.
        """
        async with self._one:
            try:
                service = await self._made()
            except Exception as error:
                self._metrics.reloads.labels("failed").inc()
                if isinstance(error, GuardError):
                    logger.error("reload refused: %s", error)
                    raise
                logger.error("reload failed: %s", type(error).__name__)
                raise GuardError(f"{self._file}: {type(error).__name__} while loading") from error
            self._current.replace(service)
            self._metrics.in_service(__version__, service.artifacts)
            self._metrics.reloads.labels("ok").inc()
            self._metrics.configured.set_to_current_time()
            logger.info("reloaded %s", self._file)
            return service

    async def reload_everywhere(self) -> Service:
        """As `reload`; then the other processes of this proxy are told to do the same."""
        service = await self.reload()
        self._announce()
        return service

    async def _made(self) -> Service:
        settings, resources = await asyncio.to_thread(self._load, self._file)
        old = self._current.service.settings
        fixed = [key for section in FIXED for key in _differences(old, settings, section)]
        if fixed:
            with placing(self._file), about(*fixed[0].split(".")):
                raise ConfigError("changing it takes a restart")
        # Before its successor watches the same folders and servers: what two of them found would
        # flip in the metrics, and stand in the log twice.
        self._current.service.retire()
        return Service(settings, resources, self._metrics, self._cache, self._known)


def _differences(old: BaseModel, new: BaseModel, name: str, prefix: str = "") -> Iterator[str]:
    """The keys under field `name` whose values differ, in dotted form."""
    before, after = getattr(old, name), getattr(new, name)
    if type(before) is type(after) and isinstance(before, BaseModel):
        for inner in type(before).model_fields:
            yield from _differences(before, after, inner, f"{prefix}{name}.")
    elif before != after:
        yield prefix + name
