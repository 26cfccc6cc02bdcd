"""The writer: the one thread that waits for the traffic store, so that no request ever does."""

import logging
from collections import deque
from datetime import date
from threading import Event, Thread
from time import monotonic, perf_counter, sleep
from typing import TYPE_CHECKING

from guard.observability.metrics import Metrics
from guard.settings import Store
from guard.store.backlog import Backlog
from guard.store.records import Record, StoreFault
from guard.terms.errors import StoreError

if TYPE_CHECKING:  # SQLAlchemy is loaded only where a store is configured
    from guard.store.intake import Batch
    from guard.store.traffic_store import TrafficStore

logger = logging.getLogger(__name__)

LONGEST_PAUSE_S = 30.0
PURGE_EVERY_S = 3600.0
# Rows made at a time before the event loop may have the interpreter's lock.
_TURN_RECORDS = 8


class TrafficWriter:
    """Writes records in batches, in a thread; what cannot be written is dropped and counted.

    A thread rather than an asynchronous driver: one code path for both databases, and neither
    serialising, redacting and encrypting nor a hung connection can hold the event loop. `put` and
    `is_spent` are for the event loop and wait for nothing.
    """

    def __init__(
        self, store: "TrafficStore", settings: Store, metrics: Metrics, *, opened: bool = False
    ) -> None:
        self._store = store
        self._opened = opened
        self._settings = settings
        self._metrics = metrics
        self._backlog = Backlog(settings.queue_records, settings.queue_bytes)
        self._taken: list[Record] = []
        self._pending: deque[Batch] = deque()
        self._spent: dict[str, date] = {}
        self._fault: str | None = None
        self._failures = 0
        self._purge_at = 0.0
        self._closing = Event()
        self._thread = Thread(target=self._run, name="traffic-writer", daemon=True)
        metrics.store_up.set(opened)
        metrics.store_queue_records.set_function(lambda: self._backlog.count)
        metrics.store_queue_bytes.set_function(lambda: self._backlog.bytes)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(self, record: Record) -> None:
        """Hand a record over; dropped and counted when too many wait."""
        if not self._backlog.put(record):
            self._drop(record.kind, self._fault or "full")

    def is_spent(self, key: str, day: date) -> bool:
        """Whether a key's quota of prompts is known to be used up on this day (UTC)."""
        return self._spent.get(key) == day

    def close(self) -> None:
        """Write what waits, within `store.drain_s`; what is left then is dropped and counted."""
        self._closing.set()
        self._thread.join(self._settings.drain_s)
        if self._thread.is_alive():
            logger.error("traffic store: no answer within store.drain_s, records are lost")
            self._drop_rest("dead")

    def _run(self) -> None:
        while not self._closing.wait(self._pause()):
            self._work()
        self._work()
        self._drop_rest(self._fault or "dead")
        self._store.close()

    def _pause(self) -> float:
        """Seconds until the next turn: doubled with each failure."""
        return min(self._settings.flush_s * 2.0 ** min(self._failures, 16), LONGEST_PAUSE_S)

    def _work(self) -> None:
        """Write all that waits; the first fault ends the turn, and the next one goes on there."""
        try:
            if not self._opened:
                self._store.open()
                self._opened = True
            while self._refill():
                self._write(self._pending[0])
            if monotonic() >= self._purge_at:
                self._purge_at = monotonic() + PURGE_EVERY_S
                self._store.purge()
        except (StoreFault, StoreError) as fault:
            self._failed(fault)
        except Exception as error:  # the thread must outlive whatever it meets
            self._failed(StoreFault("dead", type(error).__name__))
        else:
            self._recovered()

    def _refill(self) -> bool:
        """Whether there is a batch to write."""
        if self._pending:
            return True
        self._backlog.release(self._taken)
        self._taken = self._backlog.take(self._settings.batch_records)
        if not self._taken:
            return False
        batch = self._store.prepare(self._taken[:_TURN_RECORDS])
        for start in range(_TURN_RECORDS, len(self._taken), _TURN_RECORDS):
            sleep(0)
            batch.extend(self._store.prepare(self._taken[start : start + _TURN_RECORDS]))
        self._drop("prompt", "redaction", batch.unredacted)
        self._drop("audit", "invalid", batch.unfit)
        self._pending.append(batch)
        return True

    def _write(self, batch: "Batch") -> None:
        started = perf_counter()
        try:
            written = self._store.write(batch)
        except StoreFault as fault:
            if fault.reason != "invalid":
                raise
            self._set_apart(batch)
            return
        self._pending.popleft()
        self._metrics.store_write_seconds.observe(perf_counter() - started)
        self._metrics.store_written.labels("audit").inc(written.audit)
        self._metrics.store_written.labels("prompt").inc(written.prompts)
        self._drop("prompt", "quota", written.over_quota)
        self._spent |= written.spent

    def _set_apart(self, batch: "Batch") -> None:
        """One row of a batch is unfit for the database: find it, so that the others are kept."""
        self._pending.popleft()
        if len(batch) > 1:
            self._pending.extendleft(reversed(batch.singles()))
        else:
            self._drop("audit" if batch.audit else "prompt", "invalid")

    def _failed(self, fault: StoreFault | StoreError) -> None:
        if self._fault is None:
            logger.error("traffic store: %s; trying again", fault)
        self._fault = "disk" if isinstance(fault, StoreFault) and fault.reason == "disk" else "dead"
        self._failures += 1
        self._metrics.store_up.set(0)

    def _recovered(self) -> None:
        if self._fault is not None:
            logger.warning("traffic store: writing again")
        self._fault = None
        self._failures = 0
        self._metrics.store_up.set(1)

    def _drop_rest(self, reason: str) -> None:
        self._backlog.release(self._taken)
        for batch in self._pending:
            self._drop("audit", reason, len(batch.audit))
            self._drop("prompt", reason, len(batch) - len(batch.audit))
        self._pending.clear()
        for record in self._backlog.take(self._settings.queue_records):
            self._drop(record.kind, reason)

    def _drop(self, kind: str, reason: str, count: int = 1) -> None:
        if count:
            self._metrics.store_dropped.labels(kind, reason).inc(count)
