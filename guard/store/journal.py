"""The journal: what is noted of a request while it is answered, and the records made of it."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from time import time
from typing import TYPE_CHECKING

import numpy as np

from guard.observability.metrics import Metrics
from guard.settings import Capture, Store, require_extra
from guard.store.records import AuditRecord, Message, PromptRecord, StoreFault
from guard.store.writer import TrafficWriter
from guard.terms.entry import Entry
from guard.terms.errors import about
from guard.terms.item import Item

if TYPE_CHECKING:
    from guard.store.traffic_store import TrafficStore

logger = logging.getLogger(__name__)


class Journal:
    """Closes entries: an audit record of each, a captured prompt of some. Never waits."""

    def __init__(
        self,
        settings: Store,
        writer: TrafficWriter,
        metrics: Metrics,
        generator: np.random.Generator | None = None,
    ) -> None:
        self._audits = settings.audit.enabled
        self._capture = settings.capture if settings.capture.enabled else None
        self._writer = writer
        self._metrics = metrics
        self._generator = generator or np.random.default_rng()

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def stop(self) -> None:
        """Write what waits, for a bounded time; blocking."""
        self._writer.close()

    def close(self, entry: Entry, *, status: int, action: str, latency_s: float) -> None:
        """Make the records of an answered request, once all its policies have judged it."""
        now = time()
        entry.when_judged(lambda: self._close(entry, now, status, action, latency_s))

    def _close(self, entry: Entry, now: float, status: int, action: str, latency_s: float) -> None:
        if self._audits:
            self._writer.put(self._audit(entry, now, status, action, latency_s))
        capture = self._capture
        if capture and entry.texts and self._generator.random() < capture.rate:
            self._take(entry, now, capture)

    def _audit(
        self, entry: Entry, now: float, status: int, action: str, latency_s: float
    ) -> AuditRecord:
        return AuditRecord(
            time=now,
            request_id=entry.request_id,
            key=entry.key,
            route=entry.route,
            model=entry.model,
            action=action,
            status=status,
            latency_s=latency_s,
            findings=entry.findings,
            verdicts={side: verdict.label for side, verdict in entry.verdicts.items()},
            cuts=tuple(entry.cuts),
            control_tokens=entry.control_tokens,
            artifacts=dict(entry.artifacts),  # now: what is in service may change
            prompt_tokens=entry.prompt_tokens,
            completion_tokens=entry.completion_tokens,
        )

    def _take(self, entry: Entry, now: float, capture: Capture) -> None:
        if entry.key in capture.exclude_keys:
            return
        if self._writer.is_spent(entry.key, datetime.fromtimestamp(now, UTC).date()):
            self._metrics.store_dropped.labels("prompt", "quota").inc()
            return
        messages = _messages(entry.texts)
        if sum(_bytes(message.content) for message in messages) > capture.prompt_bytes:
            self._metrics.store_dropped.labels("prompt", "large").inc()
            return
        self._writer.put(PromptRecord(now, entry.key, messages))


def make_store(settings: Store) -> "TrafficStore":
    """The configured store, not opened yet; ConfigError for what is missing."""
    with about("store"):
        require_extra("store")
    from guard.store.traffic_store import TrafficStore

    return TrafficStore(settings)


def open_journal(settings: Store, metrics: Metrics) -> Journal:
    """The journal over the configured store; a database that is away now is waited for later.

    Raises ConfigError, and StoreError for tables of another version or a file that cannot be made.
    """
    store = make_store(settings)
    opened = True
    try:
        store.open()
    except StoreFault as fault:
        logger.error("traffic store: %s; serving without it until it answers", fault)
        opened = False
    writer = TrafficWriter(store, settings, metrics, opened=opened)
    return Journal(settings, writer, metrics)


def _messages(texts: Sequence[Item]) -> tuple[Message, ...]:
    """Each place's whole text once: the first one at a path holds those that follow it there."""
    first: dict[tuple[str | int, ...], Message] = {}
    for text in texts:
        first.setdefault(text.path, Message(text.role, text.text))
    return tuple(first.values())


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode(errors="replace"))
