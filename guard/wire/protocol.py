"""What a protocol must know; `guard.wire.protocols` lists one instance of each."""

from typing import Protocol

from guard.terms.errors import ClientVisibleError
from guard.terms.item import Call
from guard.terms.json import JsonObject
from guard.wire.fields import Detokenise, FieldRules, FieldTable


class EventTranslator(Protocol):
    """Turns upstream events into the client's protocol, sans-IO; one instance per stream."""

    def feed(self, events: bytes) -> bytes:
        """The client's events for complete upstream events; may be empty."""
        ...

    def finish(self) -> bytes:
        """The client's last events, once the upstream's last event is in."""
        ...


class WireProtocol(Protocol):
    """One protocol: request bodies in, calls out; vLLM's answers in, the client's out.

    `table` is the protocol's closed field table. A call's body is always one that vLLM's chat or
    completions route understands: those two take embeddings, the other routes do not.
    """

    @property
    def name(self) -> str:
        """A word for metrics and records."""
        ...

    @property
    def route(self) -> str:
        """The path it is served under."""
        ...

    @property
    def table(self) -> FieldTable:
        """The rule of every field a request may have."""
        ...

    def parse(
        self, body: JsonObject, rules: FieldRules, detokenise: Detokenise | None, owner: str = ""
    ) -> Call:
        """Check a request against the table and collect its texts; raises RequestError.

        `owner` is the API key's name: whose stored answers the request may continue.
        """
        ...

    def translate(self, call: Call, body: bytes) -> bytes:
        """The client's answer made of vLLM's; raises UpstreamError when it is unreadable."""
        ...

    def event_translator(self, call: Call) -> EventTranslator | None:
        """What translates a stream; None when vLLM's events pass as they are."""
        ...

    def error_body(self, error: ClientVisibleError) -> JsonObject:
        """The body of an error answer."""
        ...

    def error_event(self, error: ClientVisibleError) -> bytes:
        """An error inside a stream."""
        ...

    def filtered_body(self, call: Call) -> JsonObject:
        """The body of a 400 for a blocked prompt."""
        ...

    def refusal(self, call: Call, text: str) -> JsonObject:
        """The body of a 200 that refuses with `text`."""
        ...

    def refusal_events(self, call: Call, text: str) -> list[bytes]:
        """The stream of a 200 that refuses with `text`."""
        ...
