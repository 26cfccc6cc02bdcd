"""`/v1/moderations` in OpenAI's form: each policy is a category."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from guard.gateway.client import Client, Reply
from guard.gateway.exchange import Exchange
from guard.terms.errors import ClientVisibleError, RequestError
from guard.terms.item import Item
from guard.terms.json import JsonObject
from guard.terms.verdict import Action, Finding, Verdict
from guard.wire.authors import authored
from guard.wire.envelopes import error_body
from guard.wire.json_body import serialise

MOST_INPUTS = 256
FIELDS = frozenset({"input", "model", "user", "safety_identifier"})
MODEL = "ecoguard"


class Moderations:
    """Takes `{"input": …}`: a text, texts, or one input's parts; answers with a result for each."""

    route = "/v1/moderations"

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """OpenAI's form."""
        return error_body(error)

    @asynccontextmanager
    async def answer(
        self, exchange: Exchange, body: JsonObject, client: Client
    ) -> AsyncIterator[Reply]:
        """Yield the results as a reply; RequestError for another form, ScreeningError where no
        verdict could be found."""
        for name in body.keys() - FIELDS:
            raise RequestError("Unknown field", param=name[:64], code="unknown_field")
        inputs = _inputs(body.get("input"))
        judging = (
            exchange.checks.verdict_on_texts(items, client, model=body.get("model"))
            for items in inputs
        )
        verdicts = await asyncio.gather(*judging)
        answer = {
            "id": f"modr-{uuid.uuid4().hex}",
            "model": MODEL,
            "results": [_result(verdict) for verdict in verdicts],
        }
        yield Reply(200, serialise(answer), action="check")


def _inputs(value: object) -> list[list[Item]]:
    """The texts of each input."""
    if isinstance(value, str):
        return [[authored(("input",), "user", value)]]
    if not isinstance(value, list) or not value:
        raise RequestError("'input' must be a text, or a list of texts or parts", param="input")
    if len(value) > MOST_INPUTS:
        raise RequestError(f"'input' holds more than {MOST_INPUTS} inputs", param="input")
    if all(isinstance(text, str) for text in value):
        return [[authored(("input", i), "user", text)] for i, text in enumerate(value)]
    return [list(_parts(value))]


def _parts(parts: Sequence[object]) -> Iterator[Item]:
    for index, part in enumerate(parts):
        text = part.get("text") if isinstance(part, dict) and part.get("type") == "text" else None
        if not isinstance(text, str):
            here = f"input.{index}"
            raise RequestError(f"'{here}' must be a text: nothing else is screened", param=here)
        yield authored(("input", index, "text"), "user", text)


def _result(verdict: Verdict) -> JsonObject:
    """A category for each policy that acts, with its score; a policy that failed, and lets pass all
    the same, has none."""
    acting = [f for f in (*verdict.findings, *verdict.passed) if not f.shadow and not f.failed]
    return {
        "flagged": verdict.action > Action.FLAG,
        "categories": {finding.policy: bool(finding.items) for finding in acting},
        "category_scores": {finding.policy: _score(finding) for finding in acting},
        "category_applied_input_types": {finding.policy: ["text"] for finding in acting},
    }


def _score(finding: Finding) -> float:
    return 0.0 if finding.score is None else finding.score
