"""The trainers' one HTTP client: many requests at a time, tried again where that may help, counted.

urllib3, because its pool of connections is safe to share between threads and tries again by itself.
"""

import copy
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Self

import orjson

from guard.terms.errors import GuardError

RETRIED = (429, 502, 503, 504)
FIRST_PAUSE_S = 0.2
PATIENCE_S = 30.0
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


class HttpClient:
    """Requests to one server, at most `connections` in flight; safe to share between threads.

    Connection errors and statuses 429, 502, 503 and 504 are tried again, `retries` times, with
    growing pauses (the first of `first_pause` seconds), so every request must bear repeating.
    `timeout` is seconds without a byte. Redirects are answers, not followed.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        connections: int = 1,
        retries: int = 0,
        first_pause: float = FIRST_PAUSE_S,
        timeout: float = PATIENCE_S,
    ) -> None:
        from urllib3 import PoolManager, Retry

        self.url = url.rstrip("/")
        self._headers = dict(headers or {})
        again = Retry(
            retries,
            redirect=False,
            backoff_factor=first_pause,
            status_forcelist=RETRIED,
            allowed_methods=None,
            raise_on_status=False,
        )
        self._pool = PoolManager(maxsize=connections, block=True, retries=again, timeout=timeout)
        self._lock = threading.Lock()
        self._requests, self._seconds = 0, 0.0
        self._whole: HttpClient | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def cost(self) -> Cost:
        """What was asked of the server up to now."""
        with self._lock:
            return Cost(self._requests, self._seconds)

    def counted(self) -> "HttpClient":
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

    def answer(
        self, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Status and JSON object of whatever is answered to a POST, or a GET without a body.

        EndpointError where there is no answer, or none of JSON.
        """
        method, content = ("GET", b"") if body is None else ("POST", orjson.dumps(body))
        status, answer = self.request(method, path, content)
        try:
            found = orjson.loads(answer)
        except orjson.JSONDecodeError as error:
            raise EndpointError(f"{self.url}{path}: status {status}: not JSON") from error
        if not isinstance(found, dict):
            raise EndpointError(f"{self.url}{path}: status {status}: not a JSON object")
        return status, found

    def request(self, method: str, path: str, content: bytes = b"") -> tuple[int, bytes]:
        """Status and body of whatever is answered; EndpointError where nothing is."""
        from urllib3.exceptions import HTTPError

        started = perf_counter()
        headers = {"content-type": "application/json"} if content else {}
        try:
            answer = self._pool.request(
                method,
                self.url + path,
                body=content or None,
                headers={**headers, **self._headers},
                redirect=False,
            )
        except HTTPError as error:
            reason = getattr(error, "reason", None) or error  # of what was tried again
            raise EndpointError(f"{self.url}{path}: no answer ({type(reason).__name__})") from error
        self.add(Cost(1, perf_counter() - started))
        return answer.status, answer.data

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
