"""`/v1/messages/count_tokens`, answered by vLLM's `/tokenize`."""

import orjson
from pydantic import BaseModel, ValidationError

from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire.chat_answers import unreadable
from guard.wire.fields import Detokenise, FieldRules, FieldTable
from guard.wire.messages.fields import COUNT_FIELDS, parse_count
from guard.wire.messages.protocol import MessagesProtocol
from guard.wire.protocol import EventTranslator


class _Tokenized(BaseModel):
    count: int


class CountTokensProtocol(MessagesProtocol):
    """Counts a prompt's tokens; no text of it reaches the model, so there is nothing to screen."""

    name = "count_tokens"
    route = "/v1/messages/count_tokens"
    table: FieldTable = COUNT_FIELDS

    def parse(
        self,
        body: JsonObject,
        rules: FieldRules,
        detokenise: Detokenise | None,  # noqa: ARG002
        owner: str = "",  # noqa: ARG002
    ) -> Call:
        """Check a request against the table; the call has no items."""
        return parse_count(body, rules)

    def translate(self, call: Call, body: bytes) -> bytes:  # noqa: ARG002
        """The count; raises UpstreamError when vLLM's answer holds none."""
        try:
            count = _Tokenized.model_validate_json(body).count
        except ValidationError:
            raise unreadable() from None
        return orjson.dumps({"input_tokens": count})

    def event_translator(self, call: Call) -> EventTranslator | None:  # noqa: ARG002
        """None: counts are not streamed."""
        return None
