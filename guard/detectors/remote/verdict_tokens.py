"""Generated tokens and their log-probabilities, as chat and text completions tell them."""

from collections.abc import Mapping
from typing import Annotated, NamedTuple

from pydantic import Field

from guard.detectors.remote.question import Answer


class Step(NamedTuple):
    """One generated token: its text, and log-probabilities at its place by the token's word."""

    text: str
    logprobs: Mapping[str, float]


class TokenLogprob(Answer):
    """A token and its log-probability."""

    token: str
    logprob: Annotated[float, Field(le=1e-3)]


class ChatToken(TokenLogprob):
    """A generated token, and others at its place; `bytes` are its text if `token` is a number."""

    bytes: list[Annotated[int, Field(ge=0, le=255)]] | None = None
    top_logprobs: list[TokenLogprob] = Field(default_factory=list)


class ChatLogprobs(Answer):
    """The tokens of a message."""

    content: list[ChatToken]


class ChatChoice(Answer):
    """A message's tokens."""

    logprobs: ChatLogprobs


class ChatAnswer(Answer):
    """An answer of `/v1/chat/completions`."""

    model: str
    choices: Annotated[list[ChatChoice], Field(min_length=1, max_length=1)]


class CompletionLogprobs(Answer):
    """The tokens of a text, and by place the log-probabilities of tokens."""

    tokens: list[str]
    top_logprobs: list[dict[str, float]]


class CompletionChoice(Answer):
    """A text's tokens."""

    logprobs: CompletionLogprobs


class CompletionAnswer(Answer):
    """An answer of `/v1/completions`."""

    model: str
    choices: Annotated[list[CompletionChoice], Field(min_length=1, max_length=1)]


class Tokenised(Answer):
    """An answer of vLLM's `/tokenize`."""

    tokens: list[int]


def chat_steps(answer: ChatAnswer) -> list[Step]:
    """The tokens of a chat's answer; a word stands for the likeliest token that is spelt so."""
    return [_chat_step(token) for token in answer.choices[0].logprobs.content]


def _chat_step(token: ChatToken) -> Step:
    found: dict[str, float] = {}
    for each in (token, *token.top_logprobs):
        word = each.token.strip()
        found[word] = max(each.logprob, found.get(word, each.logprob))
    text = token.token if token.bytes is None else bytes(token.bytes).decode(errors="replace")
    return Step(text, found)


def completion_steps(answer: CompletionAnswer) -> list[Step]:
    """The tokens of a text completion."""
    logprobs = answer.choices[0].logprobs
    pairs = zip(logprobs.tokens, logprobs.top_logprobs, strict=False)
    return [
        Step(token, {word.strip(): value for word, value in top.items()}) for token, top in pairs
    ]
