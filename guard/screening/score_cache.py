"""Scores of texts that were screened before: a chat resends its history, only new text costs.

What is kept is a keyed hash and numbers, never a text. The key is drawn by each process and goes
nowhere, so an entry can be neither read back nor guessed offline. Entries belong to the API key
that asked (`owner`): what one key has asked makes no other key's answer faster, so time tells
nobody what others asked. (Users who share an API key share its entries.) Failures are never kept.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

from guard.observability.metrics import Metrics

ENTRY_BYTES = 250
"""What an entry costs beside its numbers: its key, its place in the order, the objects."""
NUMBER_BYTES = 32
DIGEST_BYTES = 16

Numbers = tuple[float, ...]


class ScoreCache:
    """Numbers by what they are of; at most `most_bytes`, the least recently used go first.

    Safe to share between threads.
    """

    def __init__(self, most_bytes: int, metrics: Metrics) -> None:
        self._most_bytes = most_bytes
        self._metrics = metrics
        self._key = secrets.token_bytes(32)
        self._entries: OrderedDict[bytes, Numbers] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def digest(self, parts: Iterable[str]) -> bytes:
        """The place of what `parts` name; the lengths count, so no two lists look alike."""
        encoded = [part.encode("utf-8", "surrogatepass") for part in parts]
        told = b"".join([b"%d:%b" % (len(data), data) for data in encoded])
        return blake2b(told, key=self._key, digest_size=DIGEST_BYTES).digest()

    def find(self, places: Sequence[bytes], kind: str) -> list[Numbers | None]:
        """What is known of each place; `kind` is what hits and misses are counted under."""
        with self._lock:
            found = [self._entries.get(place) for place in places]
            for place, numbers in zip(places, found, strict=True):
                if numbers is not None:
                    self._entries.move_to_end(place)
        hits = sum(numbers is not None for numbers in found)
        self._metrics.remembered(kind, hits, len(found) - hits)
        return found

    def keep(self, entries: Mapping[bytes, Numbers]) -> None:
        """Remember numbers, and forget others where there is no room."""
        with self._lock:
            for place, numbers in entries.items():
                self._drop(place)
                self._entries[place] = numbers
                self._bytes += _size(numbers)
            self._shrink()

    def resize(self, most_bytes: int) -> None:
        """Keep to another bound from now on."""
        with self._lock:
            self._most_bytes = most_bytes
            self._shrink()

    def _shrink(self) -> None:
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._entries)))

    def _drop(self, place: bytes) -> None:
        numbers = self._entries.pop(place, None)
        if numbers is not None:
            self._bytes -= _size(numbers)

    def __len__(self) -> int:
        return len(self._entries)


def _size(numbers: Numbers) -> int:
    return ENTRY_BYTES + NUMBER_BYTES * len(numbers)
