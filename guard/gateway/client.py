"""Who asks, and what goes back."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from time import time_ns

from guard.observability.trace import UNTRACED, Trace
from guard.terms.entry import Entry
from guard.terms.item import Side
from guard.terms.verdict import Action, Verdict

JSON = "application/json"
EVENTS = "text/event-stream; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes to the client; `body` is read once, its status is final before the first byte."""

    status: int
    body: bytes | AsyncGenerator[bytes]
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    action: str = Action.ALLOW.label


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: the API key's name ("" without keys), and the headers that go on upstream.

    `entry` takes down what becomes of the request, `trace` where its time goes.
    """

    owner: str
    headers: Mapping[str, str]
    entry: Entry
    trace: Trace = UNTRACED

    def screened(self, began_ns: int, side: Side, verdict: Verdict) -> None:
        """Take down the verdict on one side; judging began `began_ns` nanoseconds after 1970."""
        self.entry.verdicts[side] = verdict
        self.trace.screened(began_ns, side, verdict)

    def await_shadows(
        self, judgement: "asyncio.Future[Verdict]", side: Side, acting: Verdict
    ) -> None:
        """Take down the verdict of all policies once those in shadow have judged: it completes
        `acting`, and has no place where the entry holds another one by then."""
        began = time_ns()

        def note(judged: "asyncio.Future[Verdict]") -> None:
            verdict = judged.result()
            if self.entry.verdicts.get(side) is acting:  # else the chat was shortened meanwhile
                self.entry.verdicts[side] = verdict
            self.trace.screened(began, side, verdict.in_shadow)

        judgement.add_done_callback(note)
        self.entry.pending.append(judgement)
