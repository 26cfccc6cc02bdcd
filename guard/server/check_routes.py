"""`/v1/guard/check`: exactly the proxy's screening of a request, without calling the model."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from guard.gateway.client import Client, Reply
from guard.gateway.exchange import Exchange
from guard.terms.errors import ClientVisibleError, RequestError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.terms.verdict import Finding, Verdict
from guard.wire.envelopes import error_body
from guard.wire.fields import expect, expect_string
from guard.wire.json_body import serialise
from guard.wire.protocol import WireProtocol


class Check:
    """Takes `{"route": "/v1/chat/completions", "request": {…}}`, answers with the findings."""

    route = "/v1/guard/check"

    def __init__(self, protocols: Mapping[str, WireProtocol]) -> None:
        self._protocols = protocols

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """OpenAI's form."""
        return error_body(error)

    @asynccontextmanager
    async def answer(
        self, exchange: Exchange, body: JsonObject, client: Client
    ) -> AsyncIterator[Reply]:
        """Yield the verdict as a reply; RequestError for what the route itself would refuse."""
        for name in body.keys() - {"route", "request"}:
            raise RequestError("Unknown field", param=name[:64], code="unknown_field")
        route = expect_string(body, "route") or "/v1/chat/completions"
        request = expect(body, "request", dict, "the body of a request")
        if route not in self._protocols:
            raise RequestError("'route' names no screened route", param="route")
        if not isinstance(request, dict):
            raise RequestError("'request' must be the body of a request", param="request")
        protocol = self._protocols[route]
        call = await exchange.admit(protocol, request, client)
        verdict = await exchange.checks.verdict(protocol.route, call, client)
        yield Reply(200, serialise(_described(call, verdict)), action="check")


def _described(call: Call, verdict: Verdict) -> JsonObject:
    return {
        "action": verdict.action.label,
        "findings": [_finding(call, finding) for finding in verdict.findings],
        "passed": [_scored(finding) for finding in verdict.passed],
        "texts_screened": len(call.items),
    }


def _finding(call: Call, finding: Finding) -> JsonObject:
    """A finding with the places it names; never the texts that stand there."""
    return {
        **_scored(finding),
        "action": finding.action.label,
        "failed": finding.failed,
        "failure": finding.failure,
        "unread": finding.unread,
        "subjects": list(finding.subjects),
        "places": [
            {"param": call.items[index].param, "role": call.items[index].role}
            for index in finding.items
        ],
    }


def _scored(finding: Finding) -> JsonObject:
    """What is said of every policy, whether it fired or not."""
    return {
        "policy": finding.policy,
        "detector": finding.detector,
        "side": finding.side,
        "shadow": finding.shadow,
        "score": finding.score,
        "threshold": finding.threshold,
        "p_values": {
            "benign": _rounded(finding.p_benign),
            "malicious": _rounded(finding.p_malicious),
        },
    }


def _rounded(p_value: float | None) -> float | None:
    return None if p_value is None else round(p_value, 4)
