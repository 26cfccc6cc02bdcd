"""Looks at one answer, and what they add up to."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter, time_ns

from guard.answers.redaction import Span, joined
from guard.answers.tally import Tally, together
from guard.answers.texts import answer_item
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.screening.screener import Screener, Screening
from guard.terms.item import Item
from guard.terms.verdict import Action, Verdict


class Judge:
    """Judges the texts of one answer by the policies of its request, as often as there are new
    ones. The looks are counted once, as one verdict."""

    def __init__(
        self,
        screener: Screener,
        metrics: Metrics,
        acting: Sequence[Policy],
        shadows: Sequence[Policy],
        owner: str,
        question: str = "",
    ) -> None:
        """`question` is what the answer answers, for detectors that judge the two together."""
        self._screener = screener
        self._metrics = metrics
        self._acting = tuple(acting)
        self._shadows = tuple(shadows)
        self._owner = owner
        self._question = question
        self._paired: tuple[Policy, ...] | None = None
        self._tally = Tally()
        self.began_ns = time_ns()

    @property
    def acts(self) -> bool:
        """Whether some policy is not in shadow."""
        return bool(self._acting)

    @property
    def verdict(self) -> Verdict:
        """The verdict so far."""
        return self._tally.verdict

    async def look(self, items: Sequence[Item]) -> Verdict:
        """The verdict of the policies that act; never raises for a detector's fault."""
        began = perf_counter()
        verdict = (await self._begin(items, self._acting)).verdict
        if paired := await self._pairing():
            beside = [replace(each, content=f"{self._question}\n{each.text}") for each in items]
            verdict = together((verdict, (await self._begin(beside, paired)).verdict))
        self._tally.add(verdict, perf_counter() - began)
        return verdict

    async def _pairing(self) -> tuple[Policy, ...]:
        """The policies that judge the answer with its question: where the question alone fires, it
        would speak for every answer."""
        if self._paired is None:
            asking = [policy for policy in self._acting if policy.detector.reads_question]
            if not asking or not self._question:
                self._paired = ()
            else:
                question = [answer_item(0, ("question",), self._question)]
                alone = (await self._begin(question, asking)).verdict
                fired = {finding.policy for finding in alone.findings}
                self._paired = tuple(p for p in asking if p.name not in fired)
        return self._paired

    async def spans(self, verdict: Verdict, index: int, text: str) -> list[Span] | None:
        """What is to be redacted in the item `index` of a look; None where a detector that fired
        finds no place."""
        asking = {f.policy for f in verdict.asking(Action.REDACT) if index in f.items}
        detectors = [policy.detector for policy in self._acting if policy.name in asking]
        # Folding a long text takes milliseconds: too long for the event loop.
        found = [await asyncio.to_thread(detector.spans, text) for detector in detectors]
        return joined(span for spans in found for span in spans) if all(found) else None

    def close(self) -> Verdict:
        """The verdict on the whole answer, counted."""
        verdict = self._tally.verdict
        if self._acting:
            self._metrics.screened(verdict, "answer", self._tally.seconds)
        return verdict

    async def shadowed(self, verdict: Verdict, items: Sequence[Item]) -> asyncio.Task[Verdict]:
        """The verdict that the policies in shadow complete; they judge off the answer's way."""
        screening = await self._begin(items, self._shadows)
        return asyncio.create_task(self._completed(verdict, screening))

    async def _completed(self, verdict: Verdict, screening: Screening) -> Verdict:
        shadows = screening.verdict if screening.whole is None else await screening.whole
        whole = together((verdict, shadows))
        self._metrics.shadowed(whole, "answer")
        return whole

    async def _begin(self, items: Sequence[Item], policies: Sequence[Policy]) -> Screening:
        return await self._screener.begin(items, policies, self._owner, "answer", counts=False)
