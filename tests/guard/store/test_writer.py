"""The writer: batches, faults, back-off, and what is dropped when."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from threading import Event
from typing import Any, cast

import pytest

from guard.observability.metrics import Metrics
from guard.settings import Store
from guard.store.connection import open_engine
from guard.store.intake import Batch, Intake, Written
from guard.store.records import Record, StoreFault
from guard.store.redaction import unchanged
from guard.store.traffic_store import TrafficStore
from guard.store.writer import TrafficWriter
from guard.terms.errors import StoreError
from tests.guard.store.records import audit_record, prompt_record

SOON = 10.0
TODAY = datetime.now(UTC).date()


class ScriptedStore:
    """Keeps what it is given; raises the scripted faults first, one for each write."""

    def __init__(self, *faults: Exception) -> None:
        self.faults = list(faults)
        self.rows: list[str] = []
        self.writes = 0
        self.opened = 0
        self.purged = Event()
        self.closed = Event()
        self.failed = Event()
        self.entered = Event()
        self.gate = Event()
        self.gate.set()
        self.unfit: str | None = None
        self._intake = Intake(open_engine("sqlite:///none"), redact=unchanged, cipher=None, quota=1)

    def open(self) -> None:
        self.opened += 1

    def prepare(self, records: Sequence[Record]) -> Batch:
        return self._intake.prepare(records)

    def write(self, batch: Batch) -> Written:
        self.entered.set()
        assert self.gate.wait(SOON)
        if self.faults:
            self.failed.set()
            raise self.faults.pop(0)
        rows = [row["request_id"] for row in batch.audit]
        if self.unfit in rows:
            raise StoreFault("invalid", "test")
        self.rows += rows
        self.writes += 1
        prompts = len(batch) - len(rows)
        return Written(len(rows), 0, prompts, {"shop": TODAY} if prompts else {})

    def purge(self) -> None:
        self.purged.set()

    def close(self) -> None:
        self.closed.set()


@contextmanager
def writing(store: ScriptedStore, metrics: Metrics, **sections: Any) -> Iterator[TrafficWriter]:
    settings = Store.model_validate({"flush_s": 0.01, **sections})
    writer = TrafficWriter(cast("TrafficStore", store), settings, metrics)
    writer.start()
    yield writer
    writer.close()


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, labels) or 0.0


def dropped(metrics: Metrics, kind: str, reason: str) -> float:
    return value(metrics, "ecoguard_store_dropped_total", kind=kind, reason=reason)


def test_what_was_put_is_written_before_the_end() -> None:
    store, metrics = ScriptedStore(), Metrics()

    with writing(store, metrics) as writer:
        for n in range(1200):
            writer.put(audit_record(request_id=str(n)))

    assert store.rows == [str(n) for n in range(1200)]
    assert store.writes >= 3
    assert store.closed.is_set()
    assert store.opened == 1
    assert value(metrics, "ecoguard_store_written_total", kind="audit") == 1200
    assert value(metrics, "ecoguard_store_queue_records") == 0
    assert value(metrics, "ecoguard_store_queue_bytes") == 0


@pytest.mark.parametrize(
    "fault", [StoreFault("dead", "x"), StoreFault("disk", "x"), StoreError("x")]
)
def test_a_batch_that_failed_is_written_later(fault: Exception) -> None:
    store, metrics = ScriptedStore(fault, fault), Metrics()

    with writing(store, metrics) as writer:
        writer.put(audit_record(request_id="a"))
        assert store.failed.wait(SOON)
        writer.put(audit_record(request_id="b"))
        assert store.purged.wait(SOON)  # follows the first turn without a fault

    assert store.rows == ["a", "b"]
    assert value(metrics, "ecoguard_store_up") == 1


def test_an_unknown_error_does_not_end_the_thread() -> None:
    store, metrics = ScriptedStore(RuntimeError("unheard of")), Metrics()

    with writing(store, metrics) as writer:
        writer.put(audit_record(request_id="a"))
        assert store.purged.wait(SOON)

    assert store.rows == ["a"]


@pytest.mark.parametrize("reason", ["dead", "disk"])
def test_what_a_broken_store_has_no_room_for_is_dropped_by_reason(reason: str) -> None:
    faults = [StoreFault(reason, "x")] * 1000
    store, metrics = ScriptedStore(*faults), Metrics()

    with writing(store, metrics, queue_records=3) as writer:
        writer.put(audit_record())
        assert store.failed.wait(SOON)
        assert store.entered.wait(SOON)
        store.failed.clear()
        assert store.failed.wait(SOON)  # the first fault is on record
        for _ in range(5):
            writer.put(audit_record())

        assert dropped(metrics, "audit", reason) == 3
        assert value(metrics, "ecoguard_store_up") == 0

    assert dropped(metrics, "audit", reason) == 6  # what waited is lost at the end, and counted
    assert store.rows == []


def test_a_slow_store_fills_the_queue() -> None:
    store, metrics = ScriptedStore(), Metrics()
    store.gate.clear()

    with writing(store, metrics, queue_records=2) as writer:
        for n in range(4):
            writer.put(audit_record(request_id=str(n)))
        assert dropped(metrics, "audit", "full") == 2
        store.gate.set()

    assert store.rows == ["0", "1"]


def test_the_end_is_not_held_up_by_a_store_that_hangs() -> None:
    store, metrics = ScriptedStore(), Metrics()
    store.gate.clear()

    with writing(store, metrics, drain_s=0.05) as writer:
        writer.put(audit_record())
        assert store.entered.wait(SOON)
        writer.put(audit_record())
    lost = dropped(metrics, "audit", "dead")
    store.gate.set()

    assert lost >= 1
    assert store.closed.wait(SOON)


def test_one_row_that_does_not_fit_costs_no_other() -> None:
    store, metrics = ScriptedStore(), Metrics()
    store.unfit = "2"
    store.gate.clear()

    with writing(store, metrics) as writer:
        for n in range(5):
            writer.put(audit_record(request_id=str(n)))
        store.gate.set()

    assert sorted(store.rows) == ["0", "1", "3", "4"]
    assert dropped(metrics, "audit", "invalid") == 1


def test_spent_quotas_are_known_to_the_event_loop() -> None:
    store, metrics = ScriptedStore(), Metrics()

    with writing(store, metrics) as writer:
        assert not writer.is_spent("shop", TODAY)
        writer.put(prompt_record())

    assert writer.is_spent("shop", TODAY)
    assert not writer.is_spent("shop", date(2020, 1, 1))
    assert not writer.is_spent("lab", TODAY)
    assert dropped(metrics, "prompt", "quota") == 1


def test_nothing_of_a_prompt_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    store, metrics = ScriptedStore(ValueError("the launch code")), Metrics()

    with writing(store, metrics) as writer:
        writer.put(prompt_record("the launch code"))
        assert store.purged.wait(SOON)

    assert "trying again" in caplog.text
    assert "writing again" in caplog.text
    assert "launch" not in caplog.text
