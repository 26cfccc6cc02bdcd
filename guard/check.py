"""`/v1/guard/check`: exactly the proxy's screening of a request, without calling the model."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from guard.errors import ClientVisibleError, RequestError
from guard.exchange import Client, Exchange, Reply
from guard.screening.verdict import Finding, Verdict
from guard.wire.call import Call
from guard.wire.contract import WireProtocol
from guard.wire.envelopes import error_body
from guard.wire.fields import JsonObject, expect, expect_string
from guard.wire.json_body import serialise


class Check:
    """Takes `{"route": "/v1/chat/completions", "request": {…}}`, answers with the findings."""

    route = "/v1/guard/check"

    def __init__(self, exchange: Exchange, protocols: Mapping[str, WireProtocol]) -> None:
        self._exchange = exchange
        self._protocols = protocols

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """OpenAI's form."""
        return error_body(error)

    @asynccontextmanager
    async def answer(self, body: JsonObject, client: Client) -> AsyncIterator[Reply]:
        """Yield the verdict as a reply; RequestError for what the route itself would refuse."""
        for name in body.keys() - {"route", "request"}:
            raise RequestError("Unknown field", param=name[:64], code="unknown_field")
        route = expect_string(body, "route") or "/v1/chat/completions"
        request = expect(body, "request", dict, "the body of a request")
        if route not in self._protocols:
            raise RequestError("'route' names no screened route", param="route")
        if not isinstance(request, dict):
            raise RequestError("'request' must be the body of a request", param="request")
        call = self._exchange.parse(self._protocols[route], request, client)
        verdict = await self._exchange.judge(call)
        yield Reply(200, serialise(_described(call, verdict)), action="check")


def _described(call: Call, verdict: Verdict) -> JsonObject:
    return {
        "action": verdict.action.label,
        "findings": [_finding(call, finding) for finding in verdict.findings],
        "texts_screened": len(call.spans),
    }


def _finding(call: Call, finding: Finding) -> JsonObject:
    """A finding with the places it names; never the texts that stand there."""
    return {
        "policy": finding.policy,
        "detector": finding.detector,
        "action": finding.action.label,
        "score": finding.score,
        "threshold": finding.threshold,
        "failed": finding.failed,
        "places": [
            {"param": call.spans[index].param, "role": call.spans[index].role}
            for index in finding.spans
        ],
    }
