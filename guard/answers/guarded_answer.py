"""One answer and everything that it is judged by, streamed or not."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from guard.answers.asking_again import AskAgain
from guard.answers.judge import Judge
from guard.answers.transcript import Transcript
from guard.answers.windows import Window
from guard.observability.answer_series import AnswerSeries
from guard.settings import Release
from guard.terms.item import Call, Side
from guard.terms.verdict import Verdict


class Notes(Protocol):
    """Takes down what becomes of a request."""

    def screened(self, began_ns: int, side: Side, verdict: Verdict) -> None:
        """One side was judged."""
        ...

    def await_shadows(
        self, judgement: asyncio.Future[Verdict], side: Side, acting: Verdict
    ) -> None:
        """Policies in shadow still judge: they complete `acting`."""
        ...


@dataclass(frozen=True, slots=True)
class GuardedAnswer:
    """The answer to `call`: its judge, when its text goes, and who takes down what is found.

    `refusal` is what is said in place of an answer that a verdict stops before it has said
    anything. `again` asks the model anew, with the question corrupted. `transcript` keeps all of it
    for policies in shadow, where there are some.
    """

    call: Call
    judge: Judge
    release: Release
    window: Window
    held_bytes: int
    refusal: Callable[[Verdict], str]
    series: AnswerSeries
    notes: Notes
    transcript: Transcript | None = None
    again: AskAgain | None = None

    def hear(self, choices: object) -> None:
        """Keep what was said, where policies in shadow judge it later."""
        if self.transcript is not None:
            self.transcript.hear(choices)

    def close(self, ending: str) -> Verdict:
        """Count the answer and take down its verdict; `ending` is a word of the metrics."""
        verdict = self.judge.close()
        self.notes.screened(self.judge.began_ns, "answer", verdict)
        if self.judge.acts:
            self.series.answers.labels(self.release, ending).inc()
        return verdict

    async def shadow(self, verdict: Verdict) -> None:
        """Let the policies in shadow begin, once the answer is closed."""
        if self.transcript is not None and (items := self.transcript.items):
            self.notes.await_shadows(await self.judge.shadowed(verdict, items), "answer", verdict)
