"""A streamed answer on its way to the client: judged as it comes in, stopped where it must be."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from time import perf_counter

from guard.answers.asking_again import AskAgain, answered
from guard.answers.endings import last_chunk, stream_end
from guard.answers.guarded_answer import GuardedAnswer
from guard.answers.held_choice import HeldChoice, Passage
from guard.answers.held_stream import HeldStream
from guard.answers.texts import answer_item
from guard.terms.errors import ScreeningError
from guard.terms.verdict import Action, Verdict
from guard.wire.envelopes import choices
from guard.wire.events import EventSplitter

_Look = tuple[int, HeldChoice, list[Passage]]


class GuardedStream:
    """Reads vLLM's events and gives those that may go, one stream.

    While a verdict is awaited that must come first, nothing more is read: a slow detector slows its
    own stream, and the model server with it, and what is held stays within bounds.
    """

    def __init__(self, answer: GuardedAnswer) -> None:
        self._answer = answer
        self._held = self._holding()
        self._looking: asyncio.Task[None] | None = None
        self._first_in: float | None = None
        self._first_out = False
        self._ending = "broken"
        self._again = answer.again
        self._is_replaced = False

    async def events(self, chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
        """The events that may go, in vLLM's form.

        Raises ScreeningError where a policy that must judge cannot, ValueError for what cannot be
        read, and whatever `chunks` raises: what was held then is dropped.
        """
        try:
            async for out in self._judged(chunks):
                yield out
            if self._is_replaced and self._again:
                async for out in self._replaced(self._again):
                    yield out
        except ScreeningError:
            self._ending = "unjudged"
            raise
        finally:
            if self._looking:
                self._looking.cancel()
            verdict = self._answer.close(self._ending)
        await self._answer.shadow(verdict)

    async def _replaced(self, again: AskAgain) -> AsyncIterator[bytes]:
        """The answer to the corrupted question, judged like the first; it is replaced no more."""
        self._again, self._is_replaced = None, False
        self._held = self._holding()
        if self._answer.transcript:
            self._answer.transcript.clear()
        async with answered(again) as reply:
            async for out in self._judged(reply.chunks()):
                yield out

    def _holding(self) -> HeldStream:
        answer = self._answer
        return HeldStream(answer.release, answer.window, choices(answer.call))

    async def _judged(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        splitter = EventSplitter()
        async for chunk in chunks:
            if not (events := splitter.feed(chunk)):
                continue
            self._held.feed(events, self._answer.hear)
            await self._look()
            if self._is_replaced:
                return
            if self._held.held > self._answer.held_bytes:
                raise ScreeningError("overloaded")
            if out := self._released():
                yield out
            if self._held.stopped:
                self._answer.series.cancelled.inc()
                yield stream_end(self._answer.call, self._held.head, self._held.usage)
                break
        if splitter.done or self._held.stopped:
            self._ending = "stopped" if self._held.cut else "complete"

    async def _look(self) -> None:
        """Judge what is due; returns once text may go, or at once where it may go before that."""
        while self._looking or (self._held.is_due and not self._is_replaced):
            if self._looking is None:
                self._looking = asyncio.create_task(self._judge(self._held.due()))
            if not self._held.must_wait and not self._looking.done():
                return
            await self._looking
            self._looking = None

    async def _judge(self, due: Sequence[tuple[int, HeldChoice]]) -> None:
        looks = [(number, choice, choice.passages()) for number, choice in due]
        verdicts = await asyncio.gather(*map(self._verdict, looks))
        for (number, choice, passages), verdict in zip(looks, verdicts, strict=True):
            if verdict.failure:
                raise ScreeningError(verdict.failure)
            action = verdict.action
            if action is Action.REPLACE and self._again:
                self._is_replaced = True
                return
            if action is Action.REDACT and await self._redacted(choice, passages, verdict):
                action = Action.FLAG
            if action > Action.FLAG:
                self._stop(number, choice, [passages[i] for i in verdict.items(verdict.action)])
            else:
                choice.judged(passages)

    async def _redacted(
        self, choice: HeldChoice, passages: Sequence[Passage], verdict: Verdict
    ) -> bool:
        """Take out what was found; false where nobody can say where it stands."""
        for index in verdict.items(Action.REDACT):
            passage = passages[index]
            spans = await self._answer.judge.spans(verdict, index, passage.text)
            if passage.begin is None or spans is None:
                return False
            gone = choice.redact(passage, spans)
            self._answer.series.leaked_characters.labels(self._answer.release).inc(gone)
        return True

    async def _verdict(self, look: _Look) -> Verdict:
        number, _, passages = look
        items = [answer_item(number, passage.channel, passage.text) for passage in passages]
        return await self._answer.judge.look(items)

    def _stop(self, number: int, choice: HeldChoice, flagged: Sequence[Passage]) -> None:
        """End a choice in the protocol's form, and count what of the passages has gone."""
        answer = self._answer
        mode = answer.release
        answer.series.leaked_characters.labels(mode).inc(
            sum(choice.gone(each.channel, each.start, each.end) for each in flagged)
        )
        for passage in flagged:
            answer.series.delay_characters.labels(mode).observe(choice.behind(passage))
        said = "" if choice.has_spoken else answer.refusal(answer.judge.verdict)
        ending = last_chunk(
            answer.call, self._held.head, number, said, is_first=not choice.has_begun
        )
        self._held.stop(number, ending)

    def _released(self) -> bytes:
        out = self._held.released()
        self._time()
        return out

    def _time(self) -> None:
        """Note how long the first text was held."""
        if self._first_out:
            return
        if self._first_in is None and self._held.has_heard:
            self._first_in = perf_counter()
        if self._first_in is not None and self._held.has_spoken:
            self._first_out = True
            seconds = perf_counter() - self._first_in
            self._answer.series.hold_seconds.labels(self._answer.release).observe(seconds)
