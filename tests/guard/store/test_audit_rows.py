"""Audit rows are found by request, key, time and action, the newest first."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from guard.settings import Store
from guard.store.audit_rows import AuditQuery
from guard.store.rows import moment
from guard.store.traffic_store import TrafficStore
from guard.terms.errors import StoreError
from tests.guard.store.records import NOON, audit_record

HOUR = timedelta(hours=1)


@pytest.fixture
def store(tmp_path: Path) -> TrafficStore:
    """Three requests, an hour apart."""
    made = TrafficStore(Store(url=f"sqlite:///{tmp_path / 'traffic.db'}"))
    made.upgrade()
    records = (
        audit_record(request_id="r1", time=NOON),
        audit_record(request_id="r2", time=NOON + 3600, key="lab", action="allow"),
        audit_record(request_id="r3", time=NOON + 7200),
    )
    made.write(made.prepare(records))
    return made


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["r3", "r2", "r1"]),
        ({"request_id": "r2"}, ["r2"]),
        ({"key": "shop"}, ["r3", "r1"]),
        ({"action": "allow"}, ["r2"]),
        ({"key": "shop", "action": "allow"}, []),
        ({"since": moment(NOON) + HOUR}, ["r3", "r2"]),
        ({"until": moment(NOON) + HOUR}, ["r1"]),
        ({"since": moment(NOON) + HOUR, "until": moment(NOON) + 2 * HOUR}, ["r2"]),
    ],
)
def test_rows_are_found(store: TrafficStore, query: dict[str, Any], found: list[str]) -> None:
    assert [row["request_id"] for row in store.audit(AuditQuery(**query), 10)] == found


def test_no_more_than_asked_for_and_the_newest(store: TrafficStore) -> None:
    (row,) = store.audit(AuditQuery(), 1)
    assert row["request_id"] == "r3"
    assert row["time"] == moment(NOON + 7200)
    assert row["findings"][0]["policy"] == "stop"


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    missing = TrafficStore(Store(url=f"sqlite:///{tmp_path / 'none.db'}"))
    with pytest.raises(StoreError, match="no such file"):
        list(missing.audit(AuditQuery(), 1))
