"""The protocols that are served, by route."""

from collections.abc import Callable
from dataclasses import dataclass

from guard.terms.errors import ClientVisibleError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire import chat, completions, embeddings, envelopes, tokenization
from guard.wire.fields import Detokenise, FieldRules, FieldTable
from guard.wire.messages.counting import CountTokensProtocol
from guard.wire.messages.protocol import MessagesProtocol
from guard.wire.protocol import EventTranslator, WireProtocol
from guard.wire.responses.protocol import ResponsesProtocol
from guard.wire.responses.store import ResponseStore

Parse = Callable[[JsonObject, FieldRules, Detokenise | None], Call]


@dataclass(frozen=True, slots=True)
class OpenAIProtocol:
    """Chat and text completions: vLLM speaks them itself, so answers pass untouched."""

    name: str
    route: str
    table: FieldTable
    parser: Parse
    prompt_field: str

    def parse(
        self,
        body: JsonObject,
        rules: FieldRules,
        detokenise: Detokenise | None,
        owner: str = "",  # noqa: ARG002 - nothing is stored here
    ) -> Call:
        """Check a request against the table and collect its texts."""
        return self.parser(body, rules, detokenise)

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """The body of an error answer."""
        return envelopes.error_body(error)

    def error_event(self, error: ClientVisibleError) -> bytes:
        """An error inside a stream."""
        return envelopes.event(envelopes.error_body(error))

    def filtered_body(self, call: Call) -> JsonObject:  # noqa: ARG002 - other protocols need it
        """The body of a 400 for a blocked prompt."""
        return envelopes.filtered_body(self.prompt_field)

    def refusal(self, call: Call, text: str) -> JsonObject:
        """The body of a 200 that refuses."""
        return envelopes.refusal_completion(call, text)

    def refusal_events(self, call: Call, text: str) -> list[bytes]:
        """The stream of a 200 that refuses."""
        return envelopes.refusal_events(call, text)

    def translate(self, call: Call, body: bytes) -> bytes:  # noqa: ARG002
        """The client's answer made of vLLM's."""
        return body

    def event_translator(self, call: Call) -> EventTranslator | None:  # noqa: ARG002
        """None: events pass as they are."""
        return None


CHAT = OpenAIProtocol(
    name="chat",
    route="/v1/chat/completions",
    table=chat.CHAT_FIELDS,
    parser=chat.parse,
    prompt_field="messages",
)
COMPLETIONS = OpenAIProtocol(
    name="completions",
    route="/v1/completions",
    table=completions.COMPLETION_FIELDS,
    parser=completions.parse,
    prompt_field="prompt",
)
EMBEDDINGS = OpenAIProtocol(
    name="embeddings",
    route="/v1/embeddings",
    table=embeddings.EMBEDDING_FIELDS,
    parser=embeddings.parse,
    prompt_field="input",
)
TOKENIZE = OpenAIProtocol(
    name="tokenize",
    route="/tokenize",
    table=tokenization.TOKENIZE_FIELDS,
    parser=tokenization.parse_tokenize,
    prompt_field="prompt",
)
DETOKENIZE = OpenAIProtocol(
    name="detokenize",
    route="/detokenize",
    table=tokenization.DETOKENIZE_FIELDS,
    parser=tokenization.parse_detokenize,
    prompt_field="tokens",
)
PLAIN: tuple[WireProtocol, ...] = (CHAT, COMPLETIONS, EMBEDDINGS, TOKENIZE, DETOKENIZE)


def make_protocols(store: ResponseStore) -> dict[str, WireProtocol]:
    """All protocols by route; `store` keeps the answers that `previous_response_id` may name."""
    stateful = (ResponsesProtocol(store), MessagesProtocol(), CountTokensProtocol())
    return {protocol.route: protocol for protocol in (*PLAIN, *stateful)}
