"""JSON requests to a model server: many at a time, tried again where that may help, counted."""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import orjson

from guard.terms.errors import GuardError

RETRIED = (429, 502, 503, 504)
FIRST_PAUSE_S = 0.2
LONGEST_REASON = 300


class EndpointError(GuardError):
    """The model server could not be reached, or refused; the message names address and reason."""


class RefusalError(EndpointError):
    """A guard in front of the model refused what was asked."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Requests answered so far, and the seconds they took, added up over connections."""

    requests: int
    seconds: float


class JsonClient:
    """POST requests to one server, at most `connections` in flight; safe to share.

    Connection errors and statuses 429, 502, 503 and 504 are tried again, `retries` times, with
    growing pauses (the first of `first_pause` seconds), so every request must bear repeating.
    `timeout` is seconds without a byte.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        connections: int,
        retries: int,
        first_pause: float,
        timeout: float,
    ) -> None:
        from urllib3 import PoolManager, Retry

        self.url = url.rstrip("/")
        self._headers = {"content-type": "application/json", **headers}
        again = Retry(
            retries,
            redirect=0,
            backoff_factor=first_pause,
            status_forcelist=RETRIED,
            allowed_methods=None,
            raise_on_status=False,
        )
        self._pool = PoolManager(maxsize=connections, block=True, retries=again, timeout=timeout)
        self._lock = threading.Lock()
        self._requests, self._seconds = 0, 0.0
        self._whole: JsonClient | None = None

    @property
    def cost(self) -> Cost:
        """What was asked of the server up to now."""
        with self._lock:
            return Cost(self._requests, self._seconds)

    def counted(self) -> "JsonClient":
        """The same client with a cost of its own; what it asks is counted here, too."""
        part = copy.copy(self)
        part._lock, part._requests, part._seconds = threading.Lock(), 0, 0.0
        part._whole = self
        return part

    def close(self) -> None:
        """Let the connections go."""
        self._pool.clear()

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer with status 200; raises EndpointError with the reason of any other.

        RefusalError where that is a content filter.
        """
        status, answer = self.answer(path, body)
        if status != 200:
            kind = RefusalError if _is_refusal(answer) else EndpointError
            raise kind(f"{self.url}{path}: status {status}: {reason(answer)}")
        return answer

    def answer(self, path: str, body: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of whatever is answered; EndpointError where nothing is."""
        from urllib3.exceptions import HTTPError

        started = perf_counter()
        try:
            answer = self._pool.request(
                "POST", self.url + path, body=orjson.dumps(body), headers=self._headers
            )
            found = orjson.loads(answer.data)
        except (HTTPError, orjson.JSONDecodeError) as error:
            name = type(error).__name__
            raise EndpointError(f"{self.url}{path}: no answer ({name})") from error
        self.add(Cost(1, perf_counter() - started))
        if not isinstance(found, dict):
            raise EndpointError(f"{self.url}{path}: the answer is not a JSON object")
        return answer.status, found

    def add(self, cost: Cost) -> None:
        """Count what was asked on this client's behalf elsewhere."""
        with self._lock:
            self._requests += cost.requests
            self._seconds += cost.seconds
        if self._whole is not None:
            self._whole.add(cost)


def _is_refusal(answer: Mapping[str, Any]) -> bool:
    error = answer.get("error")
    return isinstance(error, dict) and error.get("code") == "content_filter"


def reason(answer: Mapping[str, Any]) -> str:
    """The message of an error answer, cut short."""
    error = answer.get("error", answer)
    message = error.get("message") if isinstance(error, dict) else error
    return str(message)[:LONGEST_REASON]


@contextmanager
def expecting(field: str, url: str) -> Iterator[None]:
    """Turns what an unexpected answer does to its reader into an EndpointError."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise EndpointError(f"{url}: the answer has no usable {field}: is it vLLM?") from error
