"""What the policies say of one request, and why: without a server, and without a model behind."""

import asyncio
from dataclasses import dataclass

from guard.gateway.calls import Calls
from guard.gateway.client import Client
from guard.gateway.loading import Resources
from guard.observability.metrics import Metrics
from guard.recognition.authorship import Authorship
from guard.screening.budget.spending import Spending
from guard.screening.explanation import ExplainedReading, Window, explain
from guard.screening.selection import PolicyTable
from guard.screening.views.view import ViewLimits
from guard.settings import Settings
from guard.terms.entry import Entry
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.terms.verdict import Finding, Verdict
from guard.upstream.client import Upstream
from guard.wire.protocol import WireProtocol


@dataclass(frozen=True, slots=True)
class Tried:
    """A request as it was judged: one finding for each policy that is for it, in their order, and
    the window that scored highest (None where the policy could not judge, or read no text)."""

    call: Call
    findings: tuple[tuple[Finding, Window | None], ...]

    @property
    def verdict(self) -> Verdict:
        """What the findings add up to."""
        return Verdict.of(finding for finding, _ in self.findings)


def run_trial(
    settings: Settings,
    resources: Resources,
    protocol: WireProtocol,
    body: JsonObject,
    key: str = "",
) -> Tried:
    """As `try_request`, outside an event loop; lets go of the resources."""
    try:
        return asyncio.run(try_request(settings, resources, protocol, body, key))
    finally:
        for reader in resources.models:
            reader.close()


async def try_request(
    settings: Settings,
    resources: Resources,
    protocol: WireProtocol,
    body: JsonObject,
    key: str = "",
) -> Tried:
    """The prompt's findings on a request of `protocol` with the API key of this name.

    The request is read as the proxy reads it, and nothing is sent anywhere but to the servers of
    detectors and encoder. Raises RequestError for what the proxy would refuse. The
    caller waits for the models.
    """
    client = Client(key, {}, Entry("", protocol.route, key))
    parsed = await _parsed(settings, resources, protocol, body, client)
    call = await Authorship(settings, None, resources.pinned).authored(parsed, key)
    table = PolicyTable.build(resources.policies, settings.policies, resources.canaries)
    policies = table.select(key, protocol.route, call.model).of("prompt")
    spending = Spending(settings.limits.screening_tokens)
    now, later = (
        ExplainedReading(
            call.items, resources.encoder, ViewLimits(), spending=spending, defers=defers
        )
        for defers in (False, True)
    )
    return Tried(call, tuple(await explain(policies, now, later)) if call.items else ())


async def _parsed(
    settings: Settings,
    resources: Resources,
    protocol: WireProtocol,
    body: JsonObject,
    client: Client,
) -> Call:
    """The call, by the proxy's own way; its model servers are not asked."""
    metrics = Metrics()
    upstream = Upstream(settings.upstream, None, metrics, models=settings.models)
    table = PolicyTable.build(resources.policies, settings.policies, resources.canaries)
    calls = Calls(
        settings,
        table,
        upstream,
        metrics,
        resources.tokenizers,
        resources.switches,
        resources.sampling,
    )
    try:
        return await calls.admit(protocol, body, client)
    finally:
        await calls.close()
        await upstream.close()
