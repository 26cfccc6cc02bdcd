"""Audit rows as they are looked up: by request, key, time and what was done."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, select

from guard.store.queries import PAGE_ROWS, reading
from guard.store.schema import audit


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Which rows: those that are all of what is given; times have a zone, `until` is left out."""

    request_id: str | None = None
    key: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def statement(self) -> Select[Any]:
        """The rows asked for, the newest first."""
        equal = {"request_id": self.request_id, "key": self.key, "action": self.action}
        asked = select(audit).order_by(audit.c.time.desc(), audit.c.id.desc())
        for column, value in equal.items():
            if value is not None:
                asked = asked.where(audit.c[column] == value)
        if self.since is not None:
            asked = asked.where(audit.c.time >= self.since)
        return asked if self.until is None else asked.where(audit.c.time < self.until)


def read_audit(engine: Engine, query: AuditQuery, most: int) -> Iterator[dict[str, Any]]:
    """At most `most` rows, the newest first, each by its columns' names."""
    with reading(engine) as connection:
        rows = connection.execution_options(yield_per=PAGE_ROWS)
        found = rows.execute(query.statement().limit(most)).mappings()
        for row in found:  # the keys are a subclass of str, which not every serialiser takes
            yield {str(name): value for name, value in row.items()}
