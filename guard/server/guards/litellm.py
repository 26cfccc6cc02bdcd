"""LiteLLM's generic guardrail API: texts of a request or an answer in, an action out."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from guard.gateway.client import Client, Reply
from guard.gateway.exchange import Exchange
from guard.terms.errors import ClientVisibleError, RequestError
from guard.terms.item import Item, Side
from guard.terms.json import JsonObject
from guard.terms.verdict import Action
from guard.wire.authors import authored
from guard.wire.call import strings
from guard.wire.envelopes import error_body
from guard.wire.fields import expect_list
from guard.wire.json_body import serialise

SIDES: dict[object, Side] = {"request": "prompt", "response": "answer"}
REASON = "The content was blocked by a policy"
UNSEEN = "Images are not screened"
MESSAGES, TOOLS, CALLS = "structured_messages", "tools", "tool_calls"


class LiteLlmGuardrail:
    """Takes what LiteLLM's proxy sends to a guardrail; other fields than these are not read."""

    route = "/beta/litellm_basic_guardrail_api"

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """OpenAI's form."""
        return error_body(error)

    @asynccontextmanager
    async def answer(
        self, exchange: Exchange, body: JsonObject, client: Client
    ) -> AsyncIterator[Reply]:
        """Yield the action as a reply; RequestError for another form, ScreeningError where no
        verdict could be found: LiteLLM's own `unreachable_fallback` decides then."""
        side = SIDES.get(body.get("input_type"))
        if side is None:
            raise RequestError("'input_type' must be 'request' or 'response'", param="input_type")
        if body.get("images") and exchange.checks.refuses_media:
            yield _reply(UNSEEN)
            return
        items = list(_prompt_items(body) if side == "prompt" else _answer_items(body))
        model = body.get("model")
        verdict = await exchange.checks.verdict_on_texts(items, client, side, model)
        yield _reply(REASON if verdict.action > Action.FLAG else None)


def _reply(blocked: str | None) -> Reply:
    """Which policy fired is not told: LiteLLM shows the reason to its client."""
    answer: JsonObject = {"action": "NONE"}
    if blocked:
        answer = {"action": "BLOCKED", "blocked_reason": blocked}
    return Reply(200, serialise(answer), action="check")


def _prompt_items(body: JsonObject) -> Iterator[Item]:
    """Every text of a request: messages by who speaks, tools, and texts that no message holds."""
    told: set[str] = set()
    for index, message in enumerate(expect_list(body, MESSAGES)):
        if not isinstance(message, dict):
            raise RequestError("A message must be an object", param=f"{MESSAGES}.{index}")
        role = str(message.get("role", "user"))
        for name, text in _of_message(message):
            told.add(text)
            yield authored((MESSAGES, index, name), role, text)
    for index, text in enumerate(_texts(body)):
        if text not in told:
            yield authored(("texts", index), "user", text)
    for name in (TOOLS, CALLS):
        for index, value in enumerate(expect_list(body, name)):
            for text in strings(value):
                yield authored((name, index), name, text)


def _of_message(message: JsonObject) -> Iterator[tuple[str, str]]:
    """The texts of a message, each with the name of its field; pictures are in `images` too."""
    for name, value in message.items():
        if name == "content" and isinstance(value, list):
            for part in value:
                yield from ((name, text) for text in _of_part(part))
        elif name != "role":
            yield from ((name, text) for text in strings(value))


def _of_part(part: object) -> Iterator[str]:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        yield part["text"]
    elif not (isinstance(part, dict) and part.get("type") == "image_url"):
        yield from strings(part)


def _answer_items(body: JsonObject) -> Iterator[Item]:
    """Every text of an answer, and of the calls of tools in it."""
    for index, text in enumerate(_texts(body)):
        yield _said(("texts", index), text)
    for index, value in enumerate(expect_list(body, CALLS)):
        for text in strings(value):
            yield _said((CALLS, index), text)


def _said(path: tuple[str, int], text: str) -> Item:
    return Item(path, "assistant", text, author="assistant", side="answer")


def _texts(body: JsonObject) -> list[str]:
    texts = expect_list(body, "texts")
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise RequestError("A text must be a string", param=f"texts.{index}")
    return [str(text) for text in texts]
