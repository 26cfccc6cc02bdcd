"""Screening that calls no model: EcoGuard as a guard for others. It is no traffic: the metrics of
findings and scores do not count it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from time import time_ns

from guard.gateway.client import Client
from guard.gateway.refusals import Refusals
from guard.observability.metrics import Metrics
from guard.recognition.authorship import Authorship
from guard.rendering.renderer import Renderer
from guard.screening.budget.spending import Spending
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.screening.selection import PolicyTable
from guard.settings import Settings
from guard.terms.item import Call, Item, Side
from guard.terms.rendering import RenderingSource
from guard.terms.verdict import Verdict

CHAT = "/v1/chat/completions"
"""The route whose policies judge what comes in another guard's form."""


class Checks:
    """Judges calls, and texts alone, as the proxy would."""

    def __init__(
        self,
        settings: Settings,
        screener: Screener,
        metrics: Metrics,
        table: PolicyTable,
        authorship: Authorship,
        renderer: Renderer,
    ) -> None:
        self._renderer = renderer
        self._most_tokens = settings.limits.screening_tokens
        self._models = settings.models
        self._screener = screener
        self._metrics = metrics
        self._table = table
        self._authorship = authorship
        self._refusals = Refusals(settings)
        self.refuses_media = settings.fields.media == "refuse"

    async def verdict(self, route: str, call: Call, client: Client) -> Verdict:
        """The verdict on a call, as the proxy would find it, by policies in shadow too."""
        call = await self._authorship.authored(call, client.owner)
        policies = self._table.select(client.owner, route, call.model).of("prompt")
        rendering = self._renderer.source(call) if call.body else None  # none: texts alone
        return await self._judged(call.items, policies, client, rendering=rendering)

    async def verdict_on_texts(
        self, items: Sequence[Item], client: Client, side: Side = "prompt", model: object = None
    ) -> Verdict:
        """The verdict of the chat route's policies on texts of one side; `model` is whose policies
        are asked where it is one of the configured.

        Raises ScreeningError where a policy that must judge could not: no verdict is no leave.
        """
        name = model if isinstance(model, str) and model in self._models else self._only_model()
        call = Call("chat", CHAT, {}, name, False, tuple(items))
        if side == "prompt":
            verdict = await self.verdict(CHAT, call, client)
        else:
            nothing = Call("chat", CHAT, {}, name, False, ())
            chosen = self._table.select(client.owner, CHAT, name).of("answer")
            policies = [replace(p, detector=p.detector.about(nothing)) for p in chosen]
            verdict = await self._judged(items, policies, client, "answer")
        if verdict.failure:
            raise self._refusals.unjudged(verdict)
        return verdict

    def _only_model(self) -> str:
        """The model that is meant where none is named."""
        return next(iter(self._models)) if len(self._models) == 1 else ""

    async def _judged(
        self,
        items: Sequence[Item],
        policies: Sequence[Policy],
        client: Client,
        side: Side = "prompt",
        rendering: RenderingSource | None = None,
    ) -> Verdict:
        began = time_ns()
        spending = Spending(self._most_tokens)
        try:
            screening = await self._screener.begin(
                items,
                policies,
                client.owner,
                side,
                counts=False,
                rendering=rendering,
                spending=spending,
            )
        finally:  # who leaves, or has no time left, has cost something all the same
            client.entry.screened_tokens += spending.read
            self._metrics.screened_tokens.inc(spending.read)
        client.screened(began, side, screening.verdict)
        if screening.whole is None:
            return screening.verdict
        client.await_shadows(screening.whole, side, screening.verdict)
        return await asyncio.shield(screening.whole)
