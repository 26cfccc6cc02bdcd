"""One configuration in service, and the place that says which one that is."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from guard.gateway.exchange import Exchange
from guard.gateway.loading import Resources
from guard.limits.keys import Keyring
from guard.observability.metrics import Metrics
from guard.recognition.known import KnownTexts
from guard.rendering.renderer import Renderer
from guard.screening.score_cache import ScoreCache
from guard.screening.screener import Screener
from guard.settings import NO_LIMITS, Rates, Settings
from guard.upstream.client import Upstream
from guard.wire.json_body import BodyLimits

SHADOWS_S = 1.0
"""How long policies in shadow may go on when the process ends."""


class Service:
    """Everything that a request uses, made of one configuration. Made inside a running loop."""

    def __init__(
        self,
        settings: Settings,
        resources: Resources,
        metrics: Metrics,
        cache: ScoreCache | None = None,
        known: KnownTexts | None = None,
    ) -> None:
        """`cache` and `known` are the process's: what they remember outlives the service."""
        self.settings = settings
        self.limits = limits = settings.limits
        self.body_limits = BodyLimits(
            max_bytes=limits.body_bytes, max_depth=limits.body_depth, max_values=limits.body_values
        )
        self.artifacts = resources.artifacts
        self.keyring = Keyring(settings.keys)
        self._rates = {key.name: key.limits.over(limits.per_key) for key in settings.keys}
        self.upstream = Upstream(
            settings.upstream,
            resources.upstream_key,
            metrics,
            models=settings.models,
            tls=resources.upstream_tls,
        )
        self.upstream.watch()
        self._models = resources.models
        if cache is not None:
            cache.resize(limits.screening_cache_bytes)
        self._screener = Screener(
            resources.policies,
            resources.encoder,
            metrics,
            threads=limits.screening_threads,
            queue=limits.screening_queue,
            timeout=limits.screening_s,
            cache=cache if limits.screening_cache_bytes else None,
        )
        self.exchange = Exchange(
            settings,
            self._screener,
            self.upstream,
            resources.rewriter,
            metrics,
            resources.tokenizers,
            resources.canaries,
            resources.switches,
            resources.sampling,
            known,
            resources.pinned,
            Renderer(resources.templates),
        )

        self.exchange.begin()

    def rates(self, key: str) -> Rates:
        """The limits of an API key, by its name; without keys there are none."""
        return self._rates.get(key, NO_LIMITS)

    def retire(self) -> None:
        """Watch nothing any more: a successor does. Requests under way are still served."""
        self.upstream.unwatch()
        for model in self._models:
            model.retire()

    async def close(self, within_s: float | None = None) -> None:
        """Let go of threads and connections; nobody may use it any more. Policies in shadow get
        `within_s` seconds, or as long as screening may take."""
        await self._screener.finish(within_s)
        for model in self._models:
            await model.disconnect()
            model.close()
        await self.exchange.close()
        await self.upstream.close()


class Current:
    """The service that new requests get. One that was replaced ends with its last request."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._users: dict[Service, int] = {service: 0}
        self._ends: set[asyncio.Task[None]] = set()

    @contextmanager
    def use(self) -> Iterator[Service]:
        """The current service, kept alive until the block is left."""
        service = self.service
        self._users[service] += 1
        try:
            yield service
        finally:
            self._users[service] -= 1
            self._end_if_idle(service)

    def replace(self, service: Service) -> None:
        """Give `service` to all requests from now on."""
        replaced, self.service = self.service, service
        replaced.retire()
        self._users[service] = 0
        self._end_if_idle(replaced)

    @property
    def alive(self) -> int:
        """How many services there are: the current one, and those with requests left to finish."""
        return len(self._users)

    def _end_if_idle(self, service: Service) -> None:
        if service is not self.service and self._users[service] == 0:
            del self._users[service]
            end = asyncio.create_task(service.close())
            self._ends.add(end)
            end.add_done_callback(self._ends.discard)

    async def close(self) -> None:
        """Close every service, in use or not."""
        closing = (service.close(SHADOWS_S) for service in self._users)
        await asyncio.gather(*closing, *self._ends)
