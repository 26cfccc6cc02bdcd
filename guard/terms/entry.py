"""One request's notes, for audit, metrics and traces."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from guard.terms.item import Item, Side
from guard.terms.verdict import Finding, Verdict

# Inside a JSON string the quotes would be escaped: these are the answer's own keys.
_USAGE = re.compile(rb'"usage":\s*\{.{0,300}', re.DOTALL)
_COUNT = re.compile(rb'"(prompt|input|completion|output)_tokens":\s*(\d{1,9})')


class Judgement(Protocol):
    """A judgement that is still made: a future of the event loop's."""

    def done(self) -> bool:
        """Whether it is made."""
        ...

    def add_done_callback(self, then: Callable[[Any], object], /) -> None:
        """Have `then` called once it is."""
        ...


@dataclass(frozen=True, slots=True)
class Cut:
    """Earlier turns or pictures that a request went on without: how many, whether a note stands in
    the place of each, and the findings that asked for it."""

    turns: int
    noted: bool
    findings: tuple[Finding, ...]
    pictures: int = 0


@dataclass(slots=True)
class Entry:
    """One request's notes: whoever learns something writes it down, at the end they are closed.

    `key` is the API key's name; `artifacts` are the digests of the manifests that served it, by
    detector; `texts` stay empty where no model generates an answer; `dropped_fields` are the names
    of fields that no table names, separated by commas; `control_tokens` says what was done with
    special tokens of the model in its texts, if any; `screened_tokens` are about those that
    detectors have read of it. `verdicts` has one for each side that was
    judged, of what went on to the model where turns were cut; `cuts` are those turns, once for
    each time that the chat was judged and shortened. `pending` are judgements off the request's
    way, whose verdicts are noted later.
    """

    request_id: str
    route: str
    key: str = ""
    artifacts: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    verdicts: dict[Side, Verdict] = field(default_factory=dict)
    cuts: list[Cut] = field(default_factory=list)
    texts: Sequence[Item] = ()
    dropped_fields: str = ""
    control_tokens: str = ""
    screened_tokens: int = 0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    pending: list[Judgement] = field(default_factory=list)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of all sides."""
        return tuple(
            finding
            for verdict in self.verdicts.values()
            for finding in (*verdict.findings, *verdict.passed)
        )

    def when_judged(self, then: Callable[[], None]) -> None:
        """Call `then` once nothing is pending: now, or from the event loop."""
        waiting = [judgement for judgement in self.pending if not judgement.done()]
        if not waiting:
            then()
            return
        waiting[0].add_done_callback(lambda _: self.when_judged(then))

    @property
    def tokens(self) -> int | None:
        """All tokens that the model server counted; None where it said nothing."""
        counts = self.prompt_tokens, self.completion_tokens
        return None if counts == (None, None) else sum(count or 0 for count in counts)

    def read_usage(self, chunk: bytes) -> None:
        """Note the token counts in a piece of an answer, of any protocol, if it has them."""
        if b'"usage"' not in chunk:
            return
        for usage in _USAGE.findall(chunk):
            for name, count in _COUNT.findall(usage):
                if name in (b"prompt", b"input"):
                    self.prompt_tokens = int(count)
                else:
                    self.completion_tokens = int(count)
