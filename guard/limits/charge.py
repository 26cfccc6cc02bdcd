"""What one admitted request costs, taken down while it is answered."""

from collections.abc import Mapping

from guard.limits.limiter import Lease, Limiter
from guard.terms.errors import FAILURE_CODES

# Actions by which no model has been asked.
REFUSED = frozenset({"block", "error", "check", *FAILURE_CODES.values()})
# English text has about four letters to a token. Corrected when the answer is there.
BYTES_PER_TOKEN = 4


class Charge:
    """An admitted request's lease, and how many events its answer has had so far."""

    def __init__(self, limiter: Limiter, lease: Lease) -> None:
        self._limiter = limiter
        self._lease = lease
        self._events = 0

    @property
    def headers(self) -> Mapping[str, str]:
        """What the client is told of its limits."""
        return self._lease.headers

    def count(self, chunk: bytes) -> None:
        """Count the events in a piece of an answer: about one token each."""
        self._events += chunk.count(b"data:")

    async def settle(self, counted: int | None, screened: int, action: str) -> None:
        """End the request, before its client can know that it ended and come with the next one.

        `counted` is what the model server said that it cost, `screened` what detectors have read.
        """
        await self._limiter.settle(self._lease, self._used(counted, screened, action))

    def end(self, counted: int | None, screened: int, action: str) -> None:
        """End the request if it has not ended yet; waits for nothing."""
        self._limiter.end(self._lease, self._used(counted, screened, action))

    def _used(self, counted: int | None, screened: int, action: str) -> int:
        """A prompt is read twice, by the guard and by the model: whichever took more counts."""
        if counted is not None:
            return max(counted, screened)
        return screened if action in REFUSED else max(screened, self._lease.cost + self._events)
