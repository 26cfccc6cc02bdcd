"""A bounded set that forgets: what was not seen for long, and the oldest where there is no room."""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence

ENTRY_BYTES = 200
"""What one entry takes: its hash, its place in the order, its time."""


class RecentDigests:
    """Hashes seen within the last `seconds`, at most so many. Used inside one event loop."""

    def __init__(
        self, most: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._seen: OrderedDict[bytes, float] = OrderedDict()

    def add(self, digests: Iterable[bytes]) -> None:
        """Hashes seen now."""
        now = self._clock()
        for digest in digests:
            self._seen[digest] = now
            self._seen.move_to_end(digest)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)

    def find(self, digests: Sequence[bytes]) -> set[bytes]:
        """Those of them that were seen lately; from now on they count as seen now."""
        oldest = self._clock() - self._seconds
        found = {digest for digest in digests if self._seen.get(digest, -1e18) >= oldest}
        self.add(found)
        return found

    def __len__(self) -> int:
        return len(self._seen)
