"""The error tree. Each protocol turns these into its own envelope (`guard.wire`).

GuardError
├── KeyedError              names the configuration's key that is to blame
│   ├── ConfigError         start-up: names file and key; exit status 2
│   └── ArtifactError       start-up: names folder and field
├── StoreError              start-up and commands: the traffic store cannot be used as it is
├── DetectorError           never reaches a client: becomes a failed finding
├── OverBudgetError         as that
└── ClientVisibleError      has an HTTP status and an OpenAI error code; its message is safe to show
    ├── RequestError        4xx: the request is malformed, refused or too large; names the field
    ├── BudgetError         413: screening the request would cost too much; nothing passed on
    ├── ScreeningError      503: the guard could not judge the request, and passed nothing on
    └── UpstreamError       502, 503 or 504: the model server could not answer
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

Failure = Literal["timeout", "overloaded", "own_share", "failed", "over_budget"]
"""Why a policy could not judge: no time left, no room left, its detector raised, or it would have
had to read too much."""

FAILURE_CODES: Mapping[Failure, str] = {
    "timeout": "screening_timeout",
    "overloaded": "screening_overloaded",
    "own_share": "screening_share_exceeded",
    "failed": "screening_failed",
    "over_budget": "screening_budget_exceeded",
}
"""The word for each in answers, metrics, audit rows and the log."""


class GuardError(Exception):
    """Anything EcoGuard raises on purpose."""


class KeyedError(GuardError):
    """An error that a key of the configuration is to blame for, where it is known which.

    `key` is the path to it, and `place` its file and line: those who raise the error seldom know
    them. `about` adds the one and `guard.settings.placing` the other on the error's way up.
    """

    key: tuple[str | int, ...] = ()
    place: str = ""

    def __str__(self) -> str:
        key = ".".join(str(step) for step in self.key)
        return ": ".join(part for part in (self.place, key, super().__str__()) if part)


@contextmanager
def about(*key: str | int) -> Iterator[None]:
    """Errors raised in the block are about this key, unless they know of one themselves."""
    try:
        yield
    except KeyedError as error:
        error.key = error.key or key
        raise


class ConfigError(KeyedError):
    """The configuration cannot be used; the message says what is wrong, or names file and key."""


class ArtifactError(KeyedError):
    """An artifact folder cannot be trusted or read; the message names the folder and the field."""


class StoreError(GuardError):
    """The traffic store cannot be read, or its tables are not this version's."""


DetectorFault = Literal[
    "timeout",
    "overloaded",
    "failed",
    "unreachable",
    "late",
    "status",
    "refused",
    "left_alone",
    "unreadable",
    "other_model",
    "off_format",
    "low_mass",
]
"""What is wrong with a detector that waits for a server, in the words of metrics and the log.

`timeout` and `overloaded`: there was no time or room to ask. `unreachable`, `late`, `status` (5xx),
`refused` (another status), `left_alone` (after failures in a row): the server. `unreadable`,
`other_model`, `off_format` (no verdict where one must stand), `low_mass` (the model wanted to say
something else): its answer. `failed`: anything else."""


class DetectorError(GuardError):
    """A detector could not give scores."""

    cause: DetectorFault = "failed"


class OverBudgetError(GuardError):
    """A detector would have had to read at least `tokens` of one request, and may read `most`."""

    def __init__(self, tokens: int, most: int) -> None:
        super().__init__(f"{tokens} tokens to read of at most {most}")
        self.tokens = tokens
        self.most = most


class ClientVisibleError(GuardError):
    """An error that is answered to the client in the protocol's own envelope.

    `message` never holds prompt text; `param` is the field at fault in dotted form
    (`messages.0.content`), or None; `code` is a machine-readable word; `action` is what metrics,
    audit rows and the log say was done.
    """

    action = "error"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        code: str,
        kind: str,
        param: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.kind = kind
        self.param = param
        self.headers = headers or {}


class RequestError(ClientVisibleError):
    """The client's request cannot be served as it is (4xx)."""

    def __init__(
        self,
        message: str,
        *,
        param: str | None = None,
        status: int = 400,
        code: str = "invalid_request",
        kind: str = "invalid_request_error",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, kind=kind, param=param, headers=headers)


class ScreeningError(ClientVisibleError):
    """The guard could not judge the request, so it was not passed on (503; 429 where its API key
    has taken more than its share). No verdict: the same request may pass when it is sent again."""

    _MESSAGES: Mapping[Failure, str] = {
        "timeout": "The request could not be screened in time",
        "overloaded": "Too many requests wait to be screened",
        "own_share": "Too many requests of this API key wait to be screened beside others",
        "failed": "The request could not be screened",
        "over_budget": "There is too much to screen in the request",
    }

    def __init__(self, failure: Failure) -> None:
        code = FAILURE_CODES[failure]
        super().__init__(
            f"{self._MESSAGES[failure]} ({code}); it was not passed on",
            status=429 if failure == "own_share" else 503,
            code=code,
            kind="rate_limit_error" if failure == "own_share" else "server_error",
            headers={"retry-after": "1"},
        )
        self.action = code


class BudgetError(ClientVisibleError):
    """The request has more text than the guard screens of one, so it was not passed on (413)."""

    def __init__(self, tokens: int, most: int) -> None:
        code = FAILURE_CODES["over_budget"]
        super().__init__(
            f"Screening this request would take reading at least {tokens} tokens, and at most "
            f"{most} are read of one request ({code}); it was not passed on. Send less at a time: "
            "what was screened before counts no more",
            status=413,
            code=code,
            kind="invalid_request_error",
        )
        self.action = code


class UpstreamError(ClientVisibleError):
    """The model server did not answer, or not with HTTP (502 unless said otherwise)."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 502,
        code: str = "upstream_unavailable",
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, kind="upstream_error", headers=headers)
