"""Scores of texts that were screened before: a chat resends its history, only new text costs.

What is kept is a keyed hash and numbers, never a text. The key is drawn by each process and goes
nowhere (or is made of the deployment's secret, where replicas share scores), so an entry can be
neither read back nor guessed offline. Entries belong to the API key
that asked (`owner`): what one key has asked makes no other key's answer faster, so time tells
nobody what others asked. (Users who share an API key share its entries.) Failures are never kept.
"""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence

from guard.observability.metrics import Metrics
from guard.recognition.digests import Digester
from guard.recognition.shared_scores import SharedScores

ENTRY_BYTES = 250
"""What an entry costs beside its numbers: its key, its place in the order, the objects."""
NUMBER_BYTES = 32

Numbers = tuple[float, ...]


class ScoreCache:
    """Numbers by what they are of; at most `most_bytes`, the least recently used go first.

    Safe to share between threads.
    """

    def __init__(
        self, most_bytes: int, metrics: Metrics, shared: SharedScores | None = None
    ) -> None:
        """What is `shared` other processes know too, and asking for it may take a moment."""
        self._most_bytes = most_bytes
        self._metrics = metrics
        self._shared = shared
        self._digester = shared.digester if shared else Digester(secrets.token_bytes(32))
        self._entries: OrderedDict[bytes, Numbers] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def digest(self, parts: Iterable[str]) -> bytes:
        """The place of what `parts` name; the lengths count, so no two lists look alike."""
        return self._digester.digest(parts)

    def find(
        self, places: Sequence[bytes], kind: str, *, elsewhere: bool = False
    ) -> list[Numbers | None]:
        """What is known of each place; `kind` is what hits and misses are counted under.

        What is known `elsewhere` only counts as missed; to ask there blocks.
        """
        found = self._found(places, kind)
        if not (elsewhere and self._shared):
            return found
        absent = [place for place, numbers in zip(places, found, strict=True) if numbers is None]
        told = self._shared.find(absent)
        self.keep(told)
        return [told.get(place, known) for place, known in zip(places, found, strict=True)]

    def _found(self, places: Sequence[bytes], kind: str) -> list[Numbers | None]:
        with self._lock:
            found = [self._entries.get(place) for place in places]
            for place, numbers in zip(places, found, strict=True):
                if numbers is not None:
                    self._entries.move_to_end(place)
        hits = sum(numbers is not None for numbers in found)
        self._metrics.remembered(kind, hits, len(found) - hits)
        return found

    def keep(self, entries: Mapping[bytes, Numbers], *, elsewhere: bool = False) -> None:
        """Remember numbers, `elsewhere` too, and forget others where there is no room."""
        if elsewhere and self._shared:
            self._shared.keep(entries)
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
