"""Streamed chat answers into Responses events."""

from collections.abc import Callable, Iterator

import orjson

from guard.terms.errors import UpstreamError
from guard.terms.json import JsonObject
from guard.wire.chat_answers import Block, Kind
from guard.wire.chat_stream import Began, BlockStream, Ended, Step
from guard.wire.responses.answers import (
    Draft,
    content_part,
    finished_response,
    logprobs_of,
    refused_response,
)
from guard.wire.responses.custom_input import CustomInput, decode_input

# What each kind's pieces are called in events, and where their whole stands in the last one.
_PIECES = {
    Kind.REASONING: ("response.reasoning_text", "text"),
    Kind.TEXT: ("response.output_text", "text"),
    Kind.TOOL_CALL: ("response.function_call_arguments", "arguments"),
}
_CUSTOM = "response.custom_tool_call_input"


class EventWriter:
    """Writes events with their running number."""

    def __init__(self) -> None:
        self._next = 0

    def write(self, kind: str, **fields: object) -> bytes:
        """One server-sent event of type `kind`."""
        body: JsonObject = {"type": kind, "sequence_number": self._next, **fields}
        self._next += 1
        return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(body) + b"\n\n"


class ResponsesEvents:
    """Translates one stream; `keep` is given the response when it is complete.

    An error inside vLLM's stream becomes `response.failed`, and nothing follows it.
    """

    def __init__(self, draft: Draft, keep: Callable[[JsonObject], None]) -> None:
        self._draft = draft
        self._keep = keep
        self._writer = EventWriter()
        self._stream = BlockStream()
        self._inputs: dict[int, CustomInput] = {}
        self._output: list[JsonObject] = []
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
                written += (*self._opening(), *self._rendered(step))
            if last:
                written += (*self._opening(), self._closing())
            elif self._stream.first_usage is not None:
                written += self._opening()
        except UpstreamError as error:
            self._failed = True
            written += (*self._opening(), self._failure(error))
        return b"".join(written)

    def _opening(self) -> Iterator[bytes]:
        """The first events, once: with the first chunk, which counts the prompt's tokens."""
        if self._begun:
            return
        self._begun = True
        counted = self._stream.first_usage
        self._draft.prompt_tokens = counted.prompt_tokens or None if counted else None
        response = self._draft.response("in_progress")
        yield self._writer.write("response.created", response=response)
        yield self._writer.write("response.in_progress", response=response)

    def _closing(self) -> bytes:
        response = finished_response(self._draft, self._output, self._stream.answer())
        self._keep(response)
        return self._writer.write(f"response.{response['status']}", response=response)

    def _failure(self, error: UpstreamError) -> bytes:
        details: JsonObject = {"code": "server_error", "message": error.message}
        response = self._draft.response("failed", self._output, error=details)
        return self._writer.write("response.failed", response=response)

    def _rendered(self, step: Step) -> Iterator[bytes]:
        place = self._place(step.block)
        if isinstance(step, Began):
            yield from self._added(step.block, place)
        elif isinstance(step, Ended):
            yield from self._done(step.block, place)
        elif self._draft.is_custom(step.block):
            yield from self._custom_delta(place, self._inputs[step.block.index].feed(step.piece))
        else:
            name, _ = _PIECES[step.block.kind]
            if step.block.kind is Kind.TEXT:
                place["logprobs"] = logprobs_of(step.logprobs)
            yield self._writer.write(f"{name}.delta", **place, delta=step.piece)

    def _custom_delta(self, place: JsonObject, text: str) -> Iterator[bytes]:
        if text:
            yield self._writer.write(f"{_CUSTOM}.delta", **place, delta=text)

    def _place(self, block: Block) -> JsonObject:
        place: JsonObject = {
            "item_id": self._draft.item_id(block),
            "output_index": block.index,
        }
        return place if block.kind is Kind.TOOL_CALL else {**place, "content_index": 0}

    def _added(self, block: Block, place: JsonObject) -> Iterator[bytes]:
        item = self._draft.item(block, "in_progress")
        self._inputs[block.index] = CustomInput()
        yield self._writer.write("response.output_item.added", output_index=block.index, item=item)
        if block.kind is not Kind.TOOL_CALL:
            part = content_part(block)
            if block.kind is Kind.TEXT:
                part["logprobs"] = []
            yield self._writer.write("response.content_part.added", **place, part=part)

    def _done(self, block: Block, place: JsonObject) -> Iterator[bytes]:
        if self._draft.is_custom(block):
            yield from self._custom_done(block, place)
        else:
            yield from self._content_done(block, place)
        item = self._draft.item(block, "completed")
        self._output.append(item)
        yield self._writer.write("response.output_item.done", output_index=block.index, item=item)

    def _custom_done(self, block: Block, place: JsonObject) -> Iterator[bytes]:
        yield from self._custom_delta(place, self._inputs[block.index].finish(block.text))
        text = decode_input(block.text)
        yield self._writer.write(f"{_CUSTOM}.done", **place, input=text)

    def _content_done(self, block: Block, place: JsonObject) -> Iterator[bytes]:
        name, whole = _PIECES[block.kind]
        if block.kind is Kind.TEXT:
            place = {**place, "logprobs": logprobs_of(block.logprobs)}
        if block.kind is Kind.TOOL_CALL:
            place = {**place, "name": block.name}
        yield self._writer.write(f"{name}.done", **place, **{whole: block.text})
        if block.kind is not Kind.TOOL_CALL:
            place.pop("logprobs", None)
            part = content_part(block)
            yield self._writer.write("response.content_part.done", **place, part=part)


def refusal_events(draft: Draft, text: str) -> Iterator[bytes]:
    """The stream of a response that refuses."""
    writer = EventWriter()
    begun = {**draft.response("in_progress"), "store": False}
    refused = refused_response(draft, text)
    item_id = draft.item_id(Block(Kind.TEXT, 0))
    place: JsonObject = {"item_id": item_id, "output_index": 0, "content_index": 0}
    empty: JsonObject = {"type": "refusal", "refusal": ""}
    part: JsonObject = {"type": "refusal", "refusal": text}
    yield writer.write("response.created", response=begun)
    yield writer.write("response.in_progress", response=begun)
    item = draft.refused_item([], "in_progress")
    yield writer.write("response.output_item.added", output_index=0, item=item)
    yield writer.write("response.content_part.added", **place, part=empty)
    yield writer.write("response.refusal.delta", **place, delta=text)
    yield writer.write("response.refusal.done", **place, refusal=text)
    yield writer.write("response.content_part.done", **place, part=part)
    item = draft.refused_item([part], "completed")
    yield writer.write("response.output_item.done", output_index=0, item=item)
    yield writer.write("response.incomplete", response=refused)
