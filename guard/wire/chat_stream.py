"""vLLM's streamed chat answers as steps of growing blocks, sans-IO."""

from collections.abc import Iterator
from dataclasses import dataclass

from guard.wire.chat_answers import (
    Answer,
    Block,
    Choice,
    Kind,
    TokenLogprob,
    ToolCall,
    Usage,
    call_block,
    checked_ending,
    read_chat,
    stop_sequence,
    unreadable,
)
from guard.wire.events import DONE, data_of, single


@dataclass(frozen=True, slots=True)
class Began:
    """A block began; it is empty."""

    block: Block


@dataclass(frozen=True, slots=True)
class Grew:
    """A block grew by `piece`."""

    block: Block
    piece: str
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A block is complete."""

    block: Block


Step = Began | Grew | Ended


def event_data(events: bytes) -> Iterator[bytes]:
    """The data of each of some complete server-sent events; comments and `[DONE]` left out."""
    for event in single(events):
        data = data_of(event).strip()
        if data and data != DONE:
            yield data


class BlockStream:
    """Blocks follow one another, never two open at once: not all protocols can say that.

    Text that arrives inside a tool call (some tool parsers let line breaks through) is held back
    until the call is complete, and dropped if it is blank. `first_usage` is the first chunk's, None
    until it is in.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.usage = Usage()
        self.first_usage: Usage | None = None
        self._open: Block | None = None
        self._calls: dict[int, Block] = {}
        self._held: list[tuple[str, tuple[TokenLogprob, ...]]] = []
        self._logprobs: tuple[TokenLogprob, ...] = ()
        self._last: Choice | None = None

    def feed(self, events: bytes) -> Iterator[Step]:
        """The steps of complete events; raises UpstreamError where the server reports an error."""
        for data in event_data(events):
            chunk = read_chat(data)
            self.usage = chunk.usage or self.usage
            if self.first_usage is None:
                self.first_usage = self.usage
            for choice in chunk.choices:
                if choice.index == 0:
                    yield from self._grown(choice)

    def finish(self) -> Iterator[Step]:
        """The last steps; raises UpstreamError when the answer was broken off."""
        checked_ending(self._last.finish_reason if self._last else None)
        yield from self._close()

    def answer(self) -> Answer:
        """The complete answer, after `finish`."""
        last = self._last
        return Answer(
            blocks=tuple(self.blocks),
            finish_reason=checked_ending(last.finish_reason if last else None),
            stop_sequence=stop_sequence(last) if last else None,
            usage=self.usage,
        )

    def _grown(self, choice: Choice) -> Iterator[Step]:
        message = choice.message
        # A token that ends inside a character has logprobs and no text yet: they wait for it.
        self._logprobs += (choice.logprobs.content if choice.logprobs else None) or ()
        if message.reasoning:
            self._logprobs = ()
            yield from self._write(Kind.REASONING, message.reasoning)
        if message.content:
            logprobs, self._logprobs = self._logprobs, ()
            if self._open is not None and self._open.kind is Kind.TOOL_CALL:
                self._held.append((message.content, logprobs))
            else:
                yield from self._write(Kind.TEXT, message.content, logprobs)
        for call in message.tool_calls or ():
            self._logprobs = ()
            yield from self._call(call)
        if choice.finish_reason:
            self._last = choice

    def _write(
        self, kind: Kind, piece: str, logprobs: tuple[TokenLogprob, ...] = ()
    ) -> Iterator[Step]:
        if self._open is None or self._open.kind is not kind:
            yield from self._close()
            yield from self._begin(Block(kind, len(self.blocks)))
        if self._open is not None:
            yield self._grow(self._open, piece, logprobs)

    def _call(self, call: ToolCall) -> Iterator[Step]:
        index = call.index or 0
        known = self._calls.get(index)
        renewed = known and call.id and call.function.name and call.id != known.call_id
        if known is None or renewed:
            yield from self._close()
            known = call_block(call, len(self.blocks))
            known.pieces = []
            self._calls[index] = known
            yield from self._begin(known)
        if call.function.arguments:
            if known is not self._open:
                raise unreadable()  # a piece of a call that was told to be complete
            yield self._grow(known, call.function.arguments)

    def _begin(self, block: Block) -> Iterator[Step]:
        self._open = block
        self.blocks.append(block)
        yield Began(block)

    def _grow(self, block: Block, piece: str, logprobs: tuple[TokenLogprob, ...] = ()) -> Grew:
        block.pieces.append(piece)
        block.logprobs += logprobs
        return Grew(block, piece, logprobs)

    def _close(self) -> Iterator[Step]:
        """Ends the open block, and the one that text held back behind it makes."""
        while self._open is not None:
            ended, self._open = self._open, None
            yield Ended(ended)
            held, self._held = self._held, []
            if "".join(piece for piece, _ in held).strip():
                for piece, logprobs in held:
                    yield from self._write(Kind.TEXT, piece, logprobs)
