"""One request's way: bytes → call → verdict → upstream → reply. Knows nothing of ASGI."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from time import perf_counter
from types import MappingProxyType

from guard.answers.answers import Answers
from guard.answers.asking_again import AskAgain
from guard.corruption.rewriting import GENERATING, Rewriter
from guard.gateway.calls import Calls
from guard.gateway.client import Client, Reply
from guard.gateway.guarding.checks import Checks
from guard.gateway.models.context_length import ContextLengths
from guard.gateway.models.control_tokens import ControlTokenRule
from guard.gateway.models.model_tokenizers import ModelTokenizer
from guard.gateway.models.token_counts import TokenCounts
from guard.gateway.prompt_screening import PromptScreening
from guard.gateway.refusals import Refusals
from guard.gateway.replacements import Replacements
from guard.gateway.replies import Replies
from guard.images.removal import hidden
from guard.observability.metrics import Metrics
from guard.recognition.authorship import Authorship
from guard.recognition.known import KnownTexts
from guard.recognition.prompts import NOTHING_PINNED, PinnedPrompts
from guard.rendering.renderer import Renderer
from guard.screening.canary import NO_CANARIES, Canary
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.screening.selection import PolicyTable
from guard.settings import Settings
from guard.terms.errors import RequestError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.terms.sampling_defaults import SamplingDefaults
from guard.terms.verdict import Action, Verdict
from guard.upstream.client import Upstream, UpstreamReply
from guard.upstream.pending import PendingRequest
from guard.wire.chat import MEDIA_PARTS, carries_media
from guard.wire.json_body import serialise
from guard.wire.pictures import IMAGE_URL
from guard.wire.protocol import WireProtocol

NO_SWITCHES: Mapping[str, frozenset[str]] = MappingProxyType({})
NO_DEFAULTS: Mapping[str, SamplingDefaults] = MappingProxyType({})


class Exchange:
    """Answers parsed bodies: screens them, decides, asks the model server."""

    def __init__(
        self,
        settings: Settings,
        screener: Screener,
        upstream: Upstream,
        rewriter: Rewriter | None,
        metrics: Metrics,
        tokenizers: Mapping[str, ModelTokenizer],
        canaries: Mapping[str, Canary] = NO_CANARIES,
        switches: Mapping[str, frozenset[str]] = NO_SWITCHES,
        sampling: Mapping[str, SamplingDefaults] = NO_DEFAULTS,
        known: KnownTexts | None = None,
        pinned: PinnedPrompts = NOTHING_PINNED,
        renderer: Renderer | None = None,
    ) -> None:
        renderer = renderer or Renderer()
        self._settings = settings
        self._authorship = Authorship(settings, known, pinned)
        self._screener = screener
        self._upstream = upstream
        self._rewriter = rewriter
        self._metrics = metrics
        counts = {name: TokenCounts(each.count_tokens) for name, each in tokenizers.items()}
        self._control = ControlTokenRule.build(settings, tokenizers, metrics)
        self._contexts = ContextLengths(upstream.context, counts)
        self._refusals = Refusals(settings)
        self._table = PolicyTable.build(screener.policies, settings.policies, canaries)
        self.checks = Checks(settings, screener, metrics, self._table, self._authorship, renderer)
        self._prompts = PromptScreening(
            screener,
            self._table,
            renderer,
            metrics,
            most_tokens=settings.limits.screening_tokens,
        )
        questions = known.questions if known else None
        self._replacements = Replacements(screener, self._table, questions, renderer)
        self._replies = Replies(Answers(settings, screener, metrics), self._authorship, self._table)
        self._calls = Calls(
            settings, self._table, upstream, metrics, tokenizers, switches, sampling
        )
        # What is let through unread where the operator wants that: not what is decoded.
        self._unread = MEDIA_PARTS - {IMAGE_URL} if settings.images.enabled else MEDIA_PARTS

    def begin(self) -> None:
        """Be ready for pictures, whose text takes models to read."""
        self._calls.begin()

    async def admit(self, protocol: WireProtocol, body: JsonObject, client: Client) -> Call:
        """The call that `body` makes, its pictures written anew; raises ClientVisibleError."""
        return await self._calls.admit(protocol, body, client)

    @asynccontextmanager
    async def answer(
        self, protocol: WireProtocol, body: JsonObject, client: Client
    ) -> AsyncIterator[Reply]:
        """Screen a request and yield the reply; leaving the block lets go of the model server.

        Raises ClientVisibleError for what must be answered with an error.
        """
        call = await self.admit(protocol, body, client)
        call = await self._authorship.authored(call, client.owner)
        call = await self._control.applied(call, client.entry)
        if call.upstream_path in GENERATING:
            client.entry.texts = call.items
            await self._check_context(protocol, call, client)
        async with self._answered(protocol, call, client) as reply:
            yield reply

    async def _check_context(self, protocol: WireProtocol, call: Call, client: Client) -> None:
        """RequestError where the model server would refuse what takes long to screen."""
        chosen = self._table.select(client.owner, protocol.route, call.model)
        if chosen.of("prompt") and self._contexts.may_exceed(call):
            check = partial(self._contexts.check, call, client.owner)
            await self._screener.compute(check, client.owner, call.items)

    @asynccontextmanager
    async def _answered(
        self, protocol: WireProtocol, call: Call, client: Client, *, again: bool = False
    ) -> AsyncIterator[Reply]:
        """As `answer`, for a call; `again` for what is left of one whose old turns were cut."""
        early = not again and self._sends_early(protocol, call, client)
        async with PendingRequest(self._sent(call, call.body, client), early=early) as pending:
            verdict = (await self._prompts.screened(protocol, call, client)).verdict
            if self._can_corrupt(call):
                verdict = self._replacements.remembered(protocol, call, client, verdict)
            action = self._action(call, verdict)
            embedded = action is Action.CORRUPT or self._embeds_unflagged(call, client, protocol)
            if action in (Action.ALLOW, Action.FLAG) and not embedded:
                self._count_bypassed(call, verdict)
                reply = await pending.reply()
                ask = self._again(protocol, call, client)
                yield await self._replies.relayed(
                    protocol, call, reply, action, client, embedded=False, again=ask
                )
                return
        if pending.begun:
            self._metrics.upstream_cancelled.inc()
        if verdict.failure:
            raise self._refusals.unjudged(verdict)
        if action is Action.BLOCK:
            shorter = self._refusals.without_pictures(call, verdict) or self._refusals.shortened(
                call, verdict, again=again
            )
            if shorter is None:
                yield self._refusals.reply(protocol, call, verdict)
                return
            self._metrics.shortened.inc()
            client.entry.cuts.append(shorter.cut)
            async with self._answered(protocol, shorter.call, client, again=True) as answer:
                yield answer
            return
        body = await self._rewritten(call, verdict)
        self._count_bypassed(call, verdict)
        async with self._sent(call, body, client) as reply:
            ask = self._again(protocol, call, client)
            yield await self._replies.relayed(
                protocol, call, reply, action, client, embedded=True, again=ask
            )

    def _again(self, protocol: WireProtocol, call: Call, client: Client) -> AskAgain | None:
        """Asks the model server again where a policy replaces answers and the model can be."""
        policies = self._replacements.policies(protocol, call, client)
        if not policies or not self._can_corrupt(call):
            return None
        return partial(self._asked_again, policies, call, client)

    @asynccontextmanager
    async def _asked_again(
        self, policies: Sequence[Policy], call: Call, client: Client
    ) -> AsyncIterator[UpstreamReply]:
        """The model server's reply to a call of which all is corrupted that led to its answer."""
        verdict = await self._replacements.verdict(call, policies, client)
        body = await self._rewritten(call, verdict)
        async with self._sent(call, body, client) as reply:
            yield reply

    def _sends_early(self, protocol: WireProtocol, call: Call, client: Client) -> bool:
        """Whether the model may begin while the guard judges; without policies nothing does."""
        if not self._settings.sends_early or call.upstream_path not in GENERATING:
            return False
        return bool(self._table.select(client.owner, protocol.route, call.model).of("prompt"))

    @asynccontextmanager
    async def _sent(
        self, call: Call, body: JsonObject, client: Client
    ) -> AsyncIterator[UpstreamReply]:
        """The model server's reply to `body`; its time is counted."""
        with client.trace.asking(call.upstream_path, body, client.entry) as asked:
            started = perf_counter()
            async with self._upstream.send(
                "POST",
                call.upstream_path,
                body=serialise(body),
                headers={**client.headers, **asked.headers},
                model=call.model,
            ) as reply:
                asked.status = reply.status
                seconds = perf_counter() - started
                self._metrics.upstream_seconds.labels(call.upstream_path).observe(seconds)
                yield reply

    def _action(self, call: Call, verdict: Verdict) -> Action:
        """What the verdict asks for; where nothing can be corrupted, it is blocked."""
        if verdict.action is Action.CORRUPT and not self._can_corrupt(call):
            return Action.BLOCK
        return verdict.action

    def _count_bypassed(self, call: Call, verdict: Verdict) -> None:
        """Count what goes upstream although the guard could not judge all of it."""
        if verdict.findings and verdict.has_failures:
            self._metrics.bypassed.labels("detector_failed").inc()
        if self._settings.fields.media == "allow_unscreened" and carries_media(call, self._unread):
            self._metrics.bypassed.labels("media").inc()

    def _can_corrupt(self, call: Call) -> bool:
        """Whether flagged texts can be replaced: by embeddings, or by texts that say nothing."""
        return self._rewriter is not None and self._rewriter.can_rewrite(call)

    def _embeds_unflagged(self, call: Call, client: Client, protocol: WireProtocol) -> bool:
        """Whether the call goes as embeddings so that nothing tells it from corrupted ones."""
        if self._rewriter is None or call.upstream_path not in GENERATING:
            return False
        if not self._rewriter.embeds_unflagged(call):
            return False
        return self._table.select(client.owner, protocol.route, call.model).may_corrupt

    async def _rewritten(self, call: Call, verdict: Verdict) -> JsonObject:
        if self._rewriter is None:
            raise RequestError("Prompts cannot be rewritten here")  # pragma: no cover
        call, verdict = hidden(call, verdict, verdict.asking(Action.CORRUPT))
        # Milliseconds for a long prompt of a wide model: too long for the event loop.
        body, tokens = await asyncio.to_thread(self._rewriter.rewrite, call, verdict)
        self._metrics.corrupted_tokens.inc(tokens)
        return body

    async def close(self) -> None:
        """End what decodes pictures; nobody may use it any more."""
        await self._calls.close()
