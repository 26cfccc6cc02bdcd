"""The records that wait for the writer: bounded in number and in bytes."""

from collections import deque
from collections.abc import Sequence
from threading import Lock

from guard.store.records import Record


class Backlog:
    """A queue between the event loop and the writer's thread; `put` never waits.

    Records that are taken count until they are released: the bounds hold for all that is in
    memory.
    """

    def __init__(self, most_records: int, most_bytes: int) -> None:
        self._most_records = most_records
        self._most_bytes = most_bytes
        self._records: deque[Record] = deque()
        self._lock = Lock()  # held for a few instructions only
        self.count = 0
        self.bytes = 0

    def put(self, record: Record) -> bool:
        """Add a record; false when there is no room."""
        size = record.size
        with self._lock:
            if self.count >= self._most_records or self.bytes + size > self._most_bytes:
                return False
            self.count += 1
            self.bytes += size
            self._records.append(record)
        return True

    def take(self, most: int) -> list[Record]:
        """Up to `most` records, oldest first."""
        with self._lock:
            return [self._records.popleft() for _ in range(min(most, len(self._records)))]

    def release(self, records: Sequence[Record]) -> None:
        """Make room: taken records are written, or given up."""
        size = sum(record.size for record in records)
        with self._lock:
            self.count -= len(records)
            self.bytes -= size
