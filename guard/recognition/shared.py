"""What replicas know together, in Redis: keyed hashes and numbers, each with an end.

Redis is asked in one short step and never waited for longer than its section says; when it does
not answer it is left alone for a while, and each process knows what it knows. What is new is
written by a thread of its own, off every request's way.
"""

import logging
import threading
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Literal

from guard.observability.recognition_series import RecognitionSeries
from guard.settings import Redis, redis_options

if TYPE_CHECKING:
    from redis import Redis as Client

logger = logging.getLogger(__name__)

MOST_ASKED = 512
"""Names that one question has; whoever has more is answered about the first only."""
MOST_WAITING = 20_000
"""Entries that wait to be written; what comes then is not shared."""

Kind = Literal["answer", "score"]


class SharedMemory:
    """Values by kind and name, in the Redis of the configuration. Safe to share between threads."""

    def __init__(self, settings: Redis, series: RecognitionSeries) -> None:
        self._settings = settings
        self._series = series
        self._client = _connect(settings)
        self._away_until = 0.0
        self._waiting: dict[bytes, tuple[bytes, int]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._writer: threading.Thread | None = None

    def find(self, kind: Kind, names: Sequence[bytes]) -> dict[bytes, bytes]:
        """The values of names; blocking. Nothing of those beyond `MOST_ASKED`, and nothing at all
        while Redis is away."""
        asked = names[:MOST_ASKED]
        if not asked or monotonic() < self._away_until:
            return {}
        try:
            values = self._client.mget([self._place(kind, name) for name in asked])
        except _faults() as error:
            self._lost("read", error)
            return {}
        pairs = zip(asked, values, strict=True)
        found = {name: value for name, value in pairs if isinstance(value, bytes)}
        self._series.asked(kind, len(found), len(names) - len(found))
        return found

    def keep(self, kind: Kind, entries: Mapping[bytes, bytes], seconds: float) -> None:
        """See that entries are written, to be forgotten after so many seconds; never waits."""
        if not entries:
            return
        with self._changed:
            for name, value in entries.items():
                if len(self._waiting) < MOST_WAITING:
                    self._waiting[self._place(kind, name)] = value, max(1, int(seconds))
            if self._writer is None and not self._closed:
                self._writer = threading.Thread(
                    target=self._write, name="shared-memory", daemon=True
                )
                self._writer.start()
            self._changed.notify()

    def _write(self) -> None:
        while batch := self._next_batch():
            if monotonic() < self._away_until:
                continue  # other processes learn it from their own requests
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for place, (value, seconds) in batch.items():
                        pipeline.set(place, value, ex=seconds)
                    pipeline.execute()
            except _faults() as error:
                self._lost("write", error)

    def _next_batch(self) -> dict[bytes, tuple[bytes, int]]:
        """What waits, once something does; nothing when all is written and nothing will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            places = list(self._waiting)[:MOST_ASKED]
            return {place: self._waiting.pop(place) for place in places}

    def _lost(self, operation: str, error: Exception) -> None:
        if monotonic() >= self._away_until:
            logger.error("redis: %s; each process knows its own texts only", type(error).__name__)
        self._away_until = monotonic() + self._settings.retry_s
        self._series.failed(operation)

    def _place(self, kind: Kind, name: bytes) -> bytes:
        return f"{self._settings.prefix}:{kind}:".encode() + name

    def close(self) -> None:
        """Write what waits, and close the connections; blocking."""
        with self._changed:
            self._closed = True
            writer = self._writer
            self._changed.notify()
        if writer:
            writer.join()
        self._client.close()


def _connect(settings: Redis) -> "Client":
    options = redis_options(settings)
    from redis import Redis as Client
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Client.from_url(**options, retry=Retry(NoBackoff(), 0))


def _faults() -> tuple[type[Exception], ...]:
    from redis.exceptions import RedisError

    return (RedisError, OSError)
