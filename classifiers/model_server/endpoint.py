"""A live vLLM as training and evaluation see it: over HTTP, for answers and their logprobs.

No weights are needed in this process. What vLLM takes, and what ends its
engine, was found by running it (0.32).
"""

import copy
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Self, TypeVar

import numpy as np
import orjson
from numpy.typing import NDArray

from classifiers.model_server.http_client import (
    FIRST_PAUSE_S,
    Cost,
    EndpointError,
    HttpClient,
    RefusalError,
    expecting,
    reason,
)
from classifiers.model_server.pooling_server import describe

Message = Mapping[str, Any]
Messages = Sequence[Message]
Logprobs = NDArray[np.float64]
Item = TypeVar("Item")
Result = TypeVar("Result")

CHAT = "/v1/chat/completions"
CONNECTIONS = 8
RETRIES = 4
PATIENCE_S = 600.0
MOST_KNOWN_ANSWERS = 1 << 15


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation twice: as its texts stand, and as the model gets it.

    In `sent` texts may be `prompt_embeds` parts. Who has no corruption passes plain messages.
    """

    plain: Messages
    sent: Messages


@dataclass(frozen=True, slots=True)
class Said:
    """A greedy answer, and the natural logprob of each of its tokens, the turn's end included."""

    text: str
    logprobs: tuple[float, ...]


class ModelEndpoint:
    """A chat model behind `url` (a root, without `/v1`); safe to share between threads.

    `model` may be None where the server has one only. At most `connections` requests are in
    flight. Connection errors and statuses 429, 502, 503 and 504 are tried again, `retries` times,
    with growing pauses: every request may be repeated. `timeout` is seconds without a byte.
    Methods raise EndpointError, and `__init__` ConfigError where there is no such model.
    """

    def __init__(
        self,
        url: str,
        model: str | None = None,
        *,
        api_key: str | None = None,
        connections: int = CONNECTIONS,
        retries: int = RETRIES,
        first_pause: float = FIRST_PAUSE_S,
        timeout: float = PATIENCE_S,
    ) -> None:
        self.served = describe(url, model, api_key)
        self.connections = connections
        self._client = HttpClient(
            self.served.url,
            self.served.headers,
            connections=connections,
            retries=retries,
            first_pause=first_pause,
            timeout=timeout,
        )
        self._holds_embeds: bool | None = None
        # Asked again for every candidate of a search, and the same each time.
        self._answer_tokens = functools.lru_cache(MOST_KNOWN_ANSWERS)(self._find_answer_tokens)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    @property
    def cost(self) -> Cost:
        """What was asked of the server up to now."""
        return self._client.cost

    def add(self, cost: Cost) -> None:
        """Count what another process asked of the same server."""
        self._client.add(cost)

    def counted(self) -> "ModelEndpoint":
        """The same endpoint with a cost of its own, beside others that ask at the same time.

        Only the tokens of answers that nobody asked for before count for the whole alone.
        """
        part = copy.copy(self)
        part._client = self._client.counted()
        return part

    def each(self, ask: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """`ask` of each item, as many at a time as there are connections; results in order."""
        with ThreadPoolExecutor(self.connections, "model-endpoint") as threads:
            futures = [threads.submit(ask, item) for item in items]
            try:
                return [future.result() for future in futures]
            finally:
                for future in futures:
                    future.cancel()

    def generate(
        self,
        chat: Chat | Messages,
        max_tokens: int,
        *,
        temperature: float = 0.0,
        n: int = 1,
        seed: int | None = None,
        fields: Mapping[str, Any] | None = None,
    ) -> list[str]:
        """The texts of `n` answers, greedy unless a temperature is given; empty where a guard in
        front of the model refuses, as it may where a text cannot be corrupted. `fields` are what
        else the request says."""
        sampling = {"max_tokens": max_tokens, "temperature": temperature, "n": n}
        if seed is not None:
            sampling["seed"] = seed
        try:
            answer = self._chat({"messages": _sent(chat), **sampling, **(fields or {})})
        except RefusalError:
            return [""] * n
        with expecting("choices", self.served.url):
            return [choice["message"]["content"] or "" for choice in answer["choices"]]

    def greedy(self, chat: Chat | Messages, max_tokens: int) -> Said:
        """The greedy answer, and how likely the model held what it said."""
        asked = {"messages": _sent(chat), "max_tokens": max_tokens, "temperature": 0}
        answer = self._chat({**asked, "logprobs": True})
        with expecting("logprobs", self.served.url):
            choice = answer["choices"][0]
            tokens = choice["logprobs"]["content"] or ()
            logprobs = tuple(float(token["logprob"]) for token in tokens)
            return Said(choice["message"]["content"] or "", logprobs)

    def answer_logprobs(
        self, chat: Chat | Messages, answer: str, *, end_of_turn: bool = False
    ) -> Logprobs:
        """Natural logprobs of the tokens of `answer` after the chat, shape (tokens,).

        With `end_of_turn` also that of the token that ends the assistant's turn. The tokens are
        those that the server's own chat template and tokenizer make. Raises EndpointError for a
        chat with embeddings where the model has no spare vocabulary row: vLLM 0.32's engine would
        end (its own token for embeddings would lie outside the logits).
        """
        if isinstance(chat, Chat):
            self._check_vocabulary(chat)
        plain = chat.plain if isinstance(chat, Chat) else chat
        tokens = self._answer_tokens(_key(plain), answer, end_of_turn)
        scored = self._chat(
            {
                "messages": [*_sent(chat), {"role": "assistant", "content": answer}],
                "add_generation_prompt": False,
                "continue_final_message": not end_of_turn,
                "prompt_logprobs": 0,
                "max_tokens": 1,
                "temperature": 0,
            }
        )
        with expecting("prompt_logprobs", self.served.url):
            return _tail(scored["prompt_logprobs"], tokens)

    def next_logprob(self, messages: Messages, token: int) -> float:
        """Natural logprob of `token` as the next one.

        After an assistant's last message (which may be an embeddings part) it is the next of that
        message, otherwise the answer's first. The server must report raw logprobs (its default).
        """
        goes_on = bool(messages) and messages[-1]["role"] == "assistant"
        answer = self._chat(
            {
                "messages": list(messages),
                "add_generation_prompt": not goes_on,
                "continue_final_message": goes_on,
                "allowed_token_ids": [token],
                "logprobs": True,
                "max_tokens": 1,
                "temperature": 0,
            }
        )
        with expecting("logprobs", self.served.url):
            return float(answer["choices"][0]["logprobs"]["content"][0]["logprob"])

    def answer_tokens(
        self, messages: Messages, answer: str, *, end_of_turn: bool = False
    ) -> tuple[int, ...]:
        """The ids of the answer's tokens as they stand in the chat, and of the turn's end."""
        return self._answer_tokens(_key(messages), answer, end_of_turn).ids

    def _find_answer_tokens(self, plain: str, answer: str, end_of_turn: bool) -> "_AnswerTokens":
        """What the answer adds to the prompt: templates may add more before a new answer."""
        messages = orjson.loads(plain)
        said = [*messages, {"role": "assistant", "content": answer}]
        asked = self._tokenize(messages, add_generation_prompt=True)
        opened = self._tokenize(said, continue_final_message=True)
        differs = [one != other for one, other in zip(asked, opened, strict=False)]
        same = differs.index(True) if True in differs else len(asked)
        if len(opened) == same:
            raise EndpointError(f"{self.served.url}: an answer without a token cannot be scored")
        if not end_of_turn:
            return _AnswerTokens(tuple(opened[same:]), len(opened) - same)
        closed = self._tokenize(said)
        # Some templates put a line break behind the token that ends the turn.
        return _AnswerTokens(tuple(closed[same : len(opened) + 1]), len(closed) - same)

    def _tokenize(self, messages: Messages, **options: bool) -> list[int]:
        body = {"messages": messages, "add_generation_prompt": False, **options}
        answer = self._client.post("/tokenize", {"model": self.served.name, **body})
        with expecting("tokens", self.served.url):
            return [int(token) for token in answer["tokens"]]

    def _check_vocabulary(self, chat: Chat) -> None:
        if not self.scores_embeds(chat):
            raise EndpointError(
                f"{self.served.url}: {self.served.name} has no spare vocabulary row: asking vLLM "
                "for prompt_logprobs beside prompt embeddings would end its engine"
            )

    def scores_embeds(self, chat: Chat) -> bool:
        """Whether the model has a logit for vLLM's own embeddings token; asked once.

        That token's id is the largest in a prompt with embeddings, and a bias on it is refused
        where the vocabulary ends before it. Neither question can harm the server.
        """
        if self._holds_embeds is None:
            least = {"max_tokens": 1, "temperature": 0}
            shown = self._chat({"messages": _sent(chat), "return_token_ids": True, **least})
            with expecting("prompt_token_ids", self.served.url):
                bias = {str(max(shown["prompt_token_ids"])): 0.0}
            body = {"messages": [{"role": "user", "content": "."}], "logit_bias": bias, **least}
            status, answer = self._client.answer(CHAT, {"model": self.served.name, **body})
            if status != 200 and "out-of-vocab" not in reason(answer):
                raise EndpointError(f"{self.served.url}: status {status}: {reason(answer)}")
            self._holds_embeds = status == 200
        return self._holds_embeds

    def _chat(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._client.post(CHAT, {"model": self.served.name, **body})


@dataclass(frozen=True, slots=True)
class _AnswerTokens:
    """An answer's token ids, and how many tokens from its first one the prompt still has."""

    ids: tuple[int, ...]
    tail: int


def _sent(chat: Chat | Messages) -> list[Message]:
    return list(chat.sent if isinstance(chat, Chat) else chat)


def _key(messages: Messages) -> str:
    return orjson.dumps(list(messages), option=orjson.OPT_SORT_KEYS).decode()


def _tail(scored: Sequence[Any], tokens: _AnswerTokens) -> Logprobs:
    """The answer's logprobs out of those of the whole prompt, by token id."""
    entries = scored[len(scored) - tokens.tail :][: len(tokens.ids)]
    pairs = zip(entries, tokens.ids, strict=True)
    return np.array([entry[str(token)]["logprob"] for entry, token in pairs])
