"""Streamed chat answers into Anthropic events."""

from collections.abc import Iterator

import orjson

from guard.terms.errors import UpstreamError
from guard.terms.json import JsonObject
from guard.wire.chat_answers import Block, Kind, Usage
from guard.wire.chat_stream import Began, BlockStream, Ended, Step
from guard.wire.messages.answers import (
    message,
    new_message_id,
    new_signature,
    stop_reason_of,
    usage_of,
)
from guard.wire.messages.errors import error_event

_DELTAS = {
    Kind.TEXT: ("text_delta", "text"),
    Kind.REASONING: ("thinking_delta", "thinking"),
    Kind.TOOL_CALL: ("input_json_delta", "partial_json"),
}


def event(kind: str, **fields: object) -> bytes:
    """One server-sent event of type `kind`."""
    body: JsonObject = {"type": kind, **fields}
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(body) + b"\n\n"


class MessagesEvents:
    """Translates one stream. An error inside it becomes an `error` event, and nothing follows."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._stream = BlockStream()
        self._begun = False
        self._failed = False

    def feed(self, events: bytes) -> bytes:
        """The client's events for complete upstream events."""
        return self._joined(self._stream.feed(events), last=False)

    def finish(self) -> bytes:
        """The last events; nothing after a failure."""
        return self._joined(self._stream.finish(), last=True)

    def _joined(self, steps: Iterator[Step], *, last: bool) -> bytes:
        if self._failed:
            return b""
        written: list[bytes] = []
        try:
            for step in steps:
                written += _rendered(step)
            if last:
                written += self._closing()
        except UpstreamError as error:
            self._failed = True
            written.append(error_event(error))
        return b"".join((*self._opening(), *written))

    def _opening(self) -> Iterator[bytes]:
        """`message_start`, once, with the first chunk's usage: of the prompt, and no token yet."""
        usage = self._stream.first_usage
        if not self._begun and usage is not None:
            self._begun = True
            yield _message_start(self._model, usage)

    def _closing(self) -> Iterator[bytes]:
        answer = self._stream.answer()
        reason, sequence = stop_reason_of(answer)
        yield from _message_end(reason, sequence, answer.usage)


def refusal_events(model: str, text: str) -> Iterator[bytes]:
    """The stream of a message that refuses."""
    block = Block(Kind.TEXT, 0)
    yield _message_start(model, Usage())
    yield from _rendered(Began(block))
    yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": text})
    yield from _rendered(Ended(block))
    yield from _message_end("refusal", None, Usage())


def _message_start(model: str, usage: Usage) -> bytes:
    begun = message(new_message_id(), model, [], usage_of(usage))
    return event("message_start", message=begun)


def _message_end(reason: str, sequence: str | None, usage: Usage) -> Iterator[bytes]:
    delta: JsonObject = {"stop_reason": reason, "stop_sequence": sequence}
    yield event("message_delta", delta=delta, usage=usage_of(usage))
    yield event("message_stop")


def _rendered(step: Step) -> Iterator[bytes]:
    block = step.block
    if isinstance(step, Began):
        yield event("content_block_start", index=block.index, content_block=_empty(block))
    elif isinstance(step, Ended):
        if block.kind is Kind.REASONING:
            delta: JsonObject = {"type": "signature_delta", "signature": new_signature()}
            yield event("content_block_delta", index=block.index, delta=delta)
        yield event("content_block_stop", index=block.index)
    else:
        kind, name = _DELTAS[block.kind]
        yield event(
            "content_block_delta", index=block.index, delta={"type": kind, name: step.piece}
        )


def _empty(block: Block) -> JsonObject:
    """A content block as it begins."""
    if block.kind is Kind.TEXT:
        return {"type": "text", "text": ""}
    if block.kind is Kind.REASONING:
        return {"type": "thinking", "thinking": "", "signature": ""}
    return {"type": "tool_use", "id": block.call_id, "name": block.name, "input": {}}
