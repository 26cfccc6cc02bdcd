"""Why a remote detector has no score: causes from a closed set, for metrics and the log.

No message holds a text that was sent, or an answer.
"""

from guard.terms.errors import DetectorError, DetectorFault


class RemoteError(DetectorError):
    """A server gave no score; `cause` says why, and `status` is what it answered, if anything."""

    def __init__(self, cause: DetectorFault, said: str, status: int | None = None) -> None:
        super().__init__(said)
        self.cause = cause
        self.status = status

    @property
    def is_too_long(self) -> bool:
        """Whether the server may have refused a text for its length alone."""
        return self.status in (400, 413, 422)

    @property
    def may_pass(self) -> bool:
        """Whether the same question may be answered when it is asked again."""
        return self.cause in ("unreachable", "late", "status")


class LateError(RemoteError, TimeoutError):
    """The server did not answer in time."""

    def __init__(self, said: str) -> None:
        super().__init__("late", said)
