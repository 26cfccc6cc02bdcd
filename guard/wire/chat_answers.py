"""vLLM's chat answers as ordered blocks, from which other protocols' answers are made.

`read_answer` reads a whole answer; `guard.wire.chat_stream` reads a streamed one.
"""

from dataclasses import dataclass, field
from enum import Enum

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from guard.terms.errors import UpstreamError

# What vLLM ends a complete answer with; `abort` and `error` are no ends of an answer.
ENDINGS = frozenset({"stop", "length", "tool_calls", "content_filter", "repetition"})


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Logprob(_Part):
    """One token's logarithmic probability (natural logarithm)."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class TokenLogprob(Logprob):
    """A generated token's, with its alternatives'."""

    top_logprobs: tuple[Logprob, ...] = ()


class Logprobs(_Part):
    """The logprobs of a choice, one entry a token."""

    content: tuple[TokenLogprob, ...] | None = None


class Function(_Part):
    """What a tool call calls; arguments are JSON text, in a stream a piece of it."""

    name: str | None = None
    arguments: str | None = None


class ToolCall(_Part):
    """A tool call; in a stream, `index` says which one a piece belongs to."""

    index: int | None = None
    id: str | None = None
    function: Function = Function()


class Message(_Part):
    """An answer's message, or a stream's delta of it."""

    content: str | None = None
    reasoning: str | None = Field(
        None, validation_alias=AliasChoices("reasoning", "reasoning_content")
    )
    tool_calls: tuple[ToolCall, ...] | None = None


class Choice(_Part):
    """One choice of an answer, or a stream's delta of it."""

    index: int = 0
    message: Message = Field(validation_alias=AliasChoices("message", "delta"))
    finish_reason: str | None = None
    stop_reason: int | str | None = None
    logprobs: Logprobs | None = None


class PromptDetails(_Part):
    """What the prompt's tokens came from."""

    cached_tokens: int | None = None
    created_cache_tokens: int | None = None


class CompletionDetails(_Part):
    """What the answer's tokens were spent on."""

    reasoning_tokens: int | None = None


class Usage(_Part):
    """Token counts."""

    prompt_tokens: int = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: PromptDetails | None = None
    completion_tokens_details: CompletionDetails | None = None

    @property
    def output_tokens(self) -> int:
        """Tokens generated so far."""
        return self.completion_tokens or 0

    @property
    def cached_tokens(self) -> int | None:
        """Prompt tokens read from the prefix cache; None when the server does not tell."""
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else None

    @property
    def cache_write_tokens(self) -> int | None:
        """Prompt tokens written to the prefix cache; None when the server does not tell."""
        details = self.prompt_tokens_details
        return details.created_cache_tokens if details else None

    @property
    def reasoning_tokens(self) -> int:
        """Generated tokens that were reasoning, as far as the server tells."""
        details = self.completion_tokens_details
        return (details.reasoning_tokens or 0) if details else 0


class ChatAnswer(_Part):
    """A chat completion, or a chunk of one."""

    choices: tuple[Choice, ...]
    usage: Usage | None = None


class Kind(Enum):
    """What a block of an answer is."""

    REASONING = "reasoning"
    TEXT = "text"
    TOOL_CALL = "tool_call"


@dataclass(slots=True)
class Block:
    """A stretch of an answer of one kind; a stream lets it grow piece by piece.

    `index` is its place in the answer; `call_id` and `name` are a tool call's.
    """

    kind: Kind
    index: int
    call_id: str = ""
    name: str = ""
    pieces: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All of it so far: reasoning, text, or a tool call's arguments as JSON text."""
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `stop_sequence` is the client's stop string that ended it, if one did."""

    blocks: tuple[Block, ...]
    finish_reason: str
    stop_sequence: str | None
    usage: Usage


def unreadable() -> UpstreamError:
    """The error for an answer that is not one."""
    return UpstreamError("The model server sent an unreadable answer")


def read_chat(body: bytes) -> ChatAnswer:
    """An answer or chunk; UpstreamError when it is neither, as vLLM's errors inside streams are."""
    try:
        return ChatAnswer.model_validate_json(body)
    except ValidationError:
        # Not chained: the error quotes the answer, which must not reach a log.
        pass
    raise unreadable()


def read_answer(body: bytes) -> Answer:
    """A whole answer's blocks; raises UpstreamError when it is unreadable or broken off."""
    answer = read_chat(body)
    if not answer.choices:
        raise unreadable()
    choice = answer.choices[0]
    return Answer(
        blocks=tuple(_blocks(choice)),
        finish_reason=checked_ending(choice.finish_reason),
        stop_sequence=stop_sequence(choice),
        usage=answer.usage or Usage(),
    )


def checked_ending(finish_reason: str | None) -> str:
    """`finish_reason` if it ends a complete answer; raises UpstreamError otherwise."""
    if finish_reason not in ENDINGS:
        raise UpstreamError("The model server broke off its answer")
    return finish_reason


def stop_sequence(choice: Choice) -> str | None:
    """The stop string that ended a choice; vLLM puts a stop token's id in the same place."""
    return choice.stop_reason if isinstance(choice.stop_reason, str) else None


def _blocks(choice: Choice) -> list[Block]:
    """Reasoning, text, tool calls, in this order; an empty text where there is nothing."""
    message, logprobs = choice.message, choice.logprobs
    blocks: list[Block] = []
    if message.reasoning:
        blocks.append(Block(Kind.REASONING, 0, pieces=[message.reasoning]))
    if message.content or not (message.reasoning or message.tool_calls):
        text = Block(Kind.TEXT, len(blocks), pieces=[message.content or ""])
        text.logprobs += (logprobs.content if logprobs else None) or ()
        blocks.append(text)
    for call in message.tool_calls or ():
        blocks.append(call_block(call, len(blocks)))
    return blocks


def call_block(call: ToolCall, index: int) -> Block:
    """A tool call's block; raises UpstreamError for a call of nothing."""
    if not call.function.name:
        raise unreadable()
    pieces = [call.function.arguments] if call.function.arguments else []
    call_id = call.id or f"call_{index}"
    return Block(Kind.TOOL_CALL, index, call_id, call.function.name, pieces)
