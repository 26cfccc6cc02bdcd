"""One request's spans, as those see it whose time is measured; and the one without any."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Protocol

from guard.terms.entry import Entry
from guard.terms.item import Side
from guard.terms.verdict import Verdict


@dataclass(slots=True)
class Asked:
    """A request to the model server: the headers that carry its span on, and what it answered."""

    headers: Mapping[str, str] = field(default_factory=dict)
    status: int | None = None


class Trace(Protocol):
    """The spans of one request. Nothing here waits, and nothing raises."""

    @property
    def id(self) -> str | None:
        """The trace's id in hex, where the request has spans."""
        ...

    def screened(self, began_ns: int, side: Side, verdict: Verdict) -> None:
        """One side was screened, by the policies that act or later by those in shadow; it began
        `began_ns` nanoseconds after 1970."""
        ...

    def asking(
        self, path: str, body: Mapping[str, object], entry: Entry
    ) -> AbstractContextManager[Asked]:
        """Holds from sending `body` upstream until its answer was relayed."""
        ...

    def end(self, request_id: str, status: int, action: str, entry: Entry | None) -> None:
        """The client has its answer."""
        ...


class Untraced:
    """A request without spans."""

    id: str | None = None

    def screened(self, began_ns: int, side: Side, verdict: Verdict) -> None:
        """Nothing."""

    def asking(
        self,
        path: str,  # noqa: ARG002 - the protocol's names
        body: Mapping[str, object],  # noqa: ARG002
        entry: Entry,  # noqa: ARG002
    ) -> AbstractContextManager[Asked]:
        """No headers."""
        return _UNHEARD

    def end(self, request_id: str, status: int, action: str, entry: Entry | None) -> None:
        """Nothing."""


_UNHEARD = nullcontext(Asked())  # nobody reads what is written there
UNTRACED = Untraced()
