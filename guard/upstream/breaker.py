"""The circuit breaker of one server: after failures in a row it is left alone for a while."""

from collections.abc import Callable
from time import monotonic


class Breaker:
    """Closed, it admits all; open, none; after `open_s` it admits one at a time until one is
    answered. `failures` in a row open it, and so does a failed trial."""

    def __init__(
        self, failures: int, open_s: float, clock: Callable[[], float] = monotonic
    ) -> None:
        self._most = failures
        self._open_s = open_s
        self._clock = clock
        self._failed = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def admits(self) -> bool:
        """Whether a request may be sent."""
        return self._opened is None or (self.remaining_s <= 0 and not self._trying)

    @property
    def is_closed(self) -> bool:
        """Whether requests are sent without reserve."""
        return self._opened is None

    @property
    def remaining_s(self) -> float:
        """Seconds until it admits a trial; 0 when it does already."""
        if self._opened is None:
            return 0.0
        return max(0.0, self._opened + self._open_s - self._clock())

    def begin(self) -> None:
        """A request is sent."""
        self._trying = self._opened is not None

    def answered(self) -> None:
        """A status came in: the server is back, but not yet free of its failures."""
        self._opened = None
        self._trying = False

    def succeeded(self) -> None:
        """An answer came in whole."""
        self._failed = 0

    def failed(self) -> bool:
        """A request failed; whether the breaker opened by it."""
        self._failed += 1
        opens = self._trying or (self._opened is None and self._failed >= self._most)
        if opens:
            self._opened = self._clock()
        self._trying = False
        return opens

    def abandoned(self) -> None:
        """A request ended without telling anything: its client left."""
        self._trying = False
