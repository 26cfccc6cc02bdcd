"""The Responses protocol as the guard's routes use it."""

from functools import partial

import orjson

from guard.terms.errors import ClientVisibleError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire import envelopes
from guard.wire.chat_answers import read_answer
from guard.wire.fields import Detokenise, FieldRules, FieldTable
from guard.wire.protocol import EventTranslator
from guard.wire.responses.answers import Draft, refused_response, response_of
from guard.wire.responses.call import ResponsesCall, as_responses_call
from guard.wire.responses.events import ResponsesEvents, refusal_events
from guard.wire.responses.fields import RESPONSES_FIELDS, parse
from guard.wire.responses.items import chat_messages
from guard.wire.responses.store import ResponseStore

# Chat fields that the model server's errors may name, under the names the client knows.
CLIENT_NAMES = {
    "messages": "input",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "response_format": "text.format",
    "reasoning_effort": "reasoning.effort",
}


class ResponsesProtocol:
    """`/v1/responses` over chat calls; answers are stored here, never in the model server."""

    name = "responses"
    route = "/v1/responses"
    table: FieldTable = RESPONSES_FIELDS

    def __init__(self, store: ResponseStore | None = None) -> None:
        self.store = ResponseStore() if store is None else store

    def parse(
        self, body: JsonObject, rules: FieldRules, detokenise: Detokenise | None, owner: str = ""
    ) -> Call:
        """Check a request against the table and collect its texts, earlier turns' included.

        `owner` is the name of the API key: who stored a response, and who may continue it.
        """
        return parse(body, rules, detokenise, self.store, owner)

    def translate(self, call: Call, body: bytes) -> bytes:
        """The Response object of vLLM's chat answer; raises UpstreamError if it is unreadable."""
        own = as_responses_call(call)
        response = response_of(Draft(own), read_answer(body))
        self._keep(own, response)
        return orjson.dumps(response)

    def event_translator(self, call: Call) -> EventTranslator | None:
        """What translates one stream; the response is stored when it is complete."""
        own = as_responses_call(call)
        return ResponsesEvents(Draft(own), partial(self._keep, own))

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """OpenAI's error object, naming the field as the client knows it."""
        body = envelopes.error_body(error)
        first, dot, rest = (error.param or "").partition(".")
        if first in CLIENT_NAMES and error.code != "unknown_field":  # that one is the client's own
            # What follows `messages.` counts in the translated conversation, not in the input.
            keep = first != "messages"
            param = CLIENT_NAMES[first] + (dot + rest if keep else "")
            body["error"] = {**_record(body["error"]), "param": param}
        return body

    def error_event(self, error: ClientVisibleError) -> bytes:
        """The `error` event; the flat form is documented, the nested one is what clients raise."""
        nested = _record(self.error_body(error)["error"])
        body = {"type": "error", "sequence_number": 0, **nested, "error": nested}
        body["type"] = "error"
        return b"event: error\ndata: " + orjson.dumps(body) + b"\n\n"

    def filtered_body(self, call: Call) -> JsonObject:  # noqa: ARG002 - other protocols need it
        """The body of a 400 for a blocked prompt."""
        return envelopes.filtered_body("input")

    def refusal(self, call: Call, text: str) -> JsonObject:
        """An incomplete response whose only item refuses."""
        return refused_response(Draft(as_responses_call(call)), text)

    def refusal_events(self, call: Call, text: str) -> list[bytes]:
        """The same as a stream."""
        return list(refusal_events(Draft(as_responses_call(call)), text))

    def _keep(self, call: ResponsesCall, response: JsonObject) -> None:
        if not call.stored:
            return
        output = response["output"]
        answer = chat_messages(output, FieldRules()) if output else []
        self.store.put(call.owner, response, [*call.turn, *answer], call.previous)


def _record(value: object) -> JsonObject:
    return value if isinstance(value, dict) else {}
