"""The Messages protocol as the guard's routes use it."""

import orjson

from guard.terms.errors import ClientVisibleError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire.chat_answers import read_answer
from guard.wire.fields import Detokenise, FieldRules, FieldTable
from guard.wire.messages import errors
from guard.wire.messages.answers import message_of, refused_message
from guard.wire.messages.events import MessagesEvents, refusal_events
from guard.wire.messages.fields import MESSAGES_FIELDS, parse
from guard.wire.protocol import EventTranslator


class MessagesProtocol:
    """Anthropic's `/v1/messages` over chat calls."""

    name = "messages"
    route = "/v1/messages"
    table: FieldTable = MESSAGES_FIELDS

    def parse(
        self,
        body: JsonObject,
        rules: FieldRules,
        detokenise: Detokenise | None,
        owner: str = "",  # noqa: ARG002 - nothing is stored here
    ) -> Call:
        """Check a request against the table and collect its texts."""
        return parse(body, rules, detokenise)

    def translate(self, call: Call, body: bytes) -> bytes:
        """The message of vLLM's chat answer; raises UpstreamError when it is unreadable."""
        return orjson.dumps(message_of(call.model, read_answer(body)))

    def event_translator(self, call: Call) -> EventTranslator | None:
        """What translates one stream."""
        return MessagesEvents(call.model)

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """Anthropic's error object."""
        return errors.error_body(error)

    def error_event(self, error: ClientVisibleError) -> bytes:
        """An `error` event."""
        return errors.error_event(error)

    def filtered_body(self, call: Call) -> JsonObject:  # noqa: ARG002 - other protocols need it
        """The body of a 400 for a blocked prompt."""
        return errors.filtered_body()

    def refusal(self, call: Call, text: str) -> JsonObject:
        """A message whose stop reason is `refusal`."""
        return refused_message(call.model, text)

    def refusal_events(self, call: Call, text: str) -> list[bytes]:
        """The same as a stream."""
        return list(refusal_events(call.model, text))
