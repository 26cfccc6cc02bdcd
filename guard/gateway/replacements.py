"""Answers that are replaced: by which policies, and what of their questions is corrupted."""

from collections.abc import Sequence

from guard.answers.asking_again import corrupting, related, replaces
from guard.corruption.rewriting import GENERATING
from guard.gateway.client import Client
from guard.recognition.questions import KnownQuestions
from guard.rendering.renderer import Renderer
from guard.screening.policy import Policy
from guard.screening.screener import Screener
from guard.screening.selection import PolicyTable
from guard.terms.item import Call
from guard.terms.verdict import Action, Verdict
from guard.wire.protocol import WireProtocol


class Replacements:
    """Says what of a request is corrupted because of what its answer tells, or once told."""

    def __init__(
        self,
        screener: Screener,
        table: PolicyTable,
        questions: KnownQuestions | None,
        renderer: Renderer,
    ) -> None:
        self._screener = screener
        self._table = table
        self._questions = questions
        self._renderer = renderer

    def policies(self, protocol: WireProtocol, call: Call, client: Client) -> tuple[Policy, ...]:
        """The policies that replace the answer to a call."""
        if call.upstream_path not in GENERATING:
            return ()
        chosen = self._table.select(client.owner, protocol.route, call.model).of("answer")
        return tuple(policy for policy in chosen if replaces(policy))

    def remembered(
        self, protocol: WireProtocol, call: Call, client: Client, verdict: Verdict
    ) -> Verdict:
        """The verdict on a prompt, with what of it once led to an answer that was replaced."""
        policies = self.policies(protocol, call, client)
        if not policies or self._questions is None:
            return verdict
        known = tuple(self._questions.known(client.owner, call))
        if not known:
            return verdict
        return Verdict((*verdict.findings, corrupting(policies[0], known)), verdict.passed)

    async def verdict(self, call: Call, policies: Sequence[Policy], client: Client) -> Verdict:
        """The verdict that corrupts what led to the answer, as the prompt's own does; it is
        remembered. Raises ScreeningError where a detector cannot judge."""
        found = await related(
            call, policies, self._screener, client.owner, self._renderer.source(call)
        )
        if self._questions:
            self._questions.keep(client.owner, call, found.items(Action.CORRUPT))
        asked = client.entry.verdicts.get("prompt", Verdict())
        return Verdict((*asked.findings, *found.findings))
