"""A guard model's server for tests: it speaks vLLM's and OpenAI's forms, and errs as it is told."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import log
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from guard.settings import RemoteDetector

NAMES = {"fine": 1, "bad": 2, "\n\n": 3, "Safety:": 4, " bad": 2, " fine": 1, "other": 9}
"""Tokens and their numbers."""
TEXTS = {number: name for name, number in reversed(NAMES.items())}

Json = dict[str, Any]


def by_word(text: str) -> float:
    """How bad a text is: it attacks, or it does not."""
    return 0.9 if "attack" in text else 0.2


@dataclass
class GuardModel:
    """How it answers, and what it was asked.

    `status` is that of every answer; `body` is sent in place of an answer; `held` never answers;
    `mass` is the probability of both verdicts together; `first` is generated before the verdict;
    texts longer than `longest` are refused.
    """

    judge: Callable[[str], float] = by_word
    model: str = "guard"
    status: int = 200
    body: bytes | None = None
    held: bool = False
    mass: float = 0.99
    first: tuple[str, ...] = ()
    longest: int = 1_000_000
    classes: tuple[str, ...] = ("FINE", "BAD")
    tokens: Mapping[str, int] = field(default_factory=lambda: dict(NAMES))
    requests: list[tuple[str, Json]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            while True:
                kind = (await receive())["type"]
                await send({"type": f"{kind}.complete"})
                if kind == "lifespan.shutdown":
                    return
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        request = orjson.loads(body)
        self.requests.append((scope["path"], request))
        self.headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.held:
                await self.gate.wait()
            status, answer = self._answer(scope["path"], request)
        finally:
            self.in_flight -= 1
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, path: str, request: Json) -> tuple[int, bytes]:
        if self.status != 200:
            return self.status, b"{}"
        if self.body is not None:
            return 200, self.body
        if any(len(text) > self.longest for text in said(request)):
            return 400, b'{"error": {"message": "too long"}}'
        made: dict[str, Callable[[Json], Json]] = {
            "/classify": self._classified,
            "/v1/moderations": self._moderated,
            "/v1/chat/completions": self._chatted,
            "/v1/completions": self._completed,
            "/tokenize": lambda request: {"tokens": [self.tokens[request["prompt"]]]},
        }
        return 200, orjson.dumps(made[path](request))

    def _classified(self, request: Json) -> Json:
        data = []
        for index, text in enumerate(said(request)):
            bad = self.judge(text)
            rest = [0.0] * (len(self.classes) - 2)
            probabilities = [1 - bad, bad, *rest]
            label = self.classes[probabilities.index(max(probabilities))]
            data.append({"index": index, "label": label, "probs": probabilities, "num_classes": 2})
        return {"model": self.model, "data": data[::-1]}

    def _moderated(self, request: Json) -> Json:
        results = [
            {"flagged": True, "category_scores": {"violence": self.judge(text), "hate": 0.5}}
            for text in said(request)
        ]
        return {"model": "full-name", "results": results}

    def _verdict(self, request: Json) -> Json:
        bad = self.judge(said(request)[-1])
        return {"bad": bad * self.mass, "fine": (1 - bad) * self.mass}

    def _chatted(self, request: Json) -> Json:
        exact = "logprob_token_ids" in request
        verdict = self._verdict(request)
        steps = [(token, {token: 0.98, "bad": 1e-6}) for token in self.first]
        steps.append((max(verdict, key=lambda name: verdict[name]), verdict))
        content = [
            {
                "token": shown(token, exact),
                "logprob": log(of[token]),
                "bytes": list(token.encode()),
                "top_logprobs": [
                    {"token": shown(name, exact), "logprob": log(value), "bytes": None}
                    for name, value in of.items()
                ],
            }
            for token, of in steps[: request["max_tokens"]]
        ]
        choice = {"index": 0, "message": {"content": "?"}, "logprobs": {"content": content}}
        return {"model": self.model, "choices": [choice]}

    def _completed(self, request: Json) -> Json:
        exact = "logprob_token_ids" in request
        verdict = self._verdict(request)
        top = {shown(name, exact): log(value) for name, value in verdict.items()}
        logprobs = {"tokens": [shown("bad", exact)], "top_logprobs": [top]}
        return {"model": self.model, "choices": [{"text": "bad", "logprobs": logprobs}]}


def said(request: Json) -> list[str]:
    """The texts of a request; of messages all contents, of a chat the last is what counts."""
    if "messages" in request:
        return [" | ".join(message["content"] for message in request["messages"])]
    found: object = request.get("input", request.get("prompt"))
    return found if isinstance(found, list) else [str(found)]


def shown(token: str, exact: bool) -> str:
    """A token as the server names it."""
    return f"token_id:{NAMES[token]}" if exact else token


def section(url: str = "http://127.0.0.1:9", /, **keys: Any) -> RemoteDetector:
    """The section of a detector that asks a server."""
    own: dict[str, object] = {"kind": "remote", "api": "label-logprobs", "model": "guard"}
    if "urls" not in keys:
        own["url"] = url
    if own["api"] == keys.get("api", own["api"]) and not keys.keys() & {"preset", "preset_file"}:
        own |= {"unsafe": ["bad"], "safe": ["fine"]}
    return RemoteDetector.model_validate({**own, **keys})


CLASSES: dict[str, object] = {"api": "classify", "classes": ["FINE", "BAD"], "unsafe": ["BAD"]}
"""Of a classifier's section."""
