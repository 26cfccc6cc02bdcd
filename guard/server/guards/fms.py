"""The detectors' API of the FMS Guardrails Orchestrator (TrustyAI): contents in, detections out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from guard.gateway.client import Client, Reply
from guard.gateway.exchange import Exchange
from guard.terms.errors import ClientVisibleError, RequestError
from guard.terms.item import Item, Side
from guard.terms.json import JsonObject
from guard.terms.verdict import Verdict
from guard.wire.authors import authored
from guard.wire.fields import expect_list
from guard.wire.json_body import serialise

MOST_CONTENTS = 256


class FmsDetector:
    """Takes `{"contents": […]}`; answers with the policies that fired on each.

    Which policies are asked follows from the key, not from the header `detector-id`; with
    `{"detector_params": {"side": "answer"}}` they are those for answers.
    """

    route = "/api/v1/text/contents"

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """The detectors' form."""
        return {"code": error.status, "message": error.message}

    @asynccontextmanager
    async def answer(
        self, exchange: Exchange, body: JsonObject, client: Client
    ) -> AsyncIterator[Reply]:
        """Yield the detections as a reply; RequestError for another form, ScreeningError where no
        verdict could be found."""
        contents, side = _contents(body), _side(body)
        judging = (
            exchange.checks.verdict_on_texts([_item(index, text, side)], client, side)
            for index, text in enumerate(contents)
        )
        verdicts = await asyncio.gather(*judging)
        found = [_detections(t, v) for t, v in zip(contents, verdicts, strict=True)]
        yield Reply(200, serialise(found), action="check")


def _contents(body: JsonObject) -> list[str]:
    contents = expect_list(body, "contents")
    if not contents or not all(isinstance(text, str) for text in contents):
        raise RequestError("'contents' must be a list of texts", param="contents")
    if len(contents) > MOST_CONTENTS:
        raise RequestError(f"'contents' holds more than {MOST_CONTENTS} texts", param="contents")
    return [str(text) for text in contents]


def _side(body: JsonObject) -> Side:
    params = body.get("detector_params") or {}
    side = params.get("side", "prompt") if isinstance(params, dict) else None
    if side == "prompt":
        return "prompt"
    if side == "answer":
        return "answer"
    raise RequestError("'side' must be 'prompt' or 'answer'", param="detector_params.side")


def _item(index: int, text: str, side: Side) -> Item:
    path = ("contents", index)
    if side == "prompt":
        return authored(path, "user", text)
    return Item(path, "assistant", text, author="assistant", side="answer")


def _detections(text: str, verdict: Verdict) -> list[JsonObject]:
    """A detection of the whole text for each policy that fired on it and acts."""
    return [
        {
            "start": 0,
            "end": len(text),
            "text": text,
            "detection": finding.policy,
            "detection_type": finding.detector,
            "score": finding.score,
        }
        for finding in verdict.findings
        if not finding.shadow and finding.items
    ]
