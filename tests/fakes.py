"""Fakes: a scripted vLLM, detectors without a model. Real ASGI, no patching."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from starlette.types import Receive, Scope, Send

from guard.terms.conversation import Asked
from guard.terms.detector import Detector, Features, Scores


@dataclass
class Clock:
    """Time, in seconds, that passes when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeVLLM:
    """Records requests; answers a fixed JSON, or a script of stream chunks.

    A `None` in the script waits for `gate`; the string "die" drops the connection. `gone` is set
    when the client (the proxy) has left before the end.
    """

    answer: dict[str, Any] = field(default_factory=lambda: chat_answer("Hello."))
    status: int = 200
    script: list[bytes | str | None] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    hold: bool = False
    healthy: bool = True
    models: list[str] = field(default_factory=lambda: ["demo"])
    tokenizer: dict[str, Any] | None = None
    version: str = ""
    context_tokens: int = 512
    api_key: str | None = None
    reads_embeddings: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        self.paths.append(scope["path"])
        self.headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
        body = await _body(receive)
        if scope["path"] == "/health":
            await _json(send, 200 if self.healthy else 503, {})
        elif scope["path"] == "/version":
            await _json(send, 200 if self.version else 404, {"version": self.version})
        elif self.api_key and self.headers[-1].get("authorization") != f"Bearer {self.api_key}":
            await _json(send, 401, {"error": "Unauthorized"})
        elif scope["path"] == "/tokenizer_info":
            status = 404 if self.tokenizer is None else 200
            await _json(send, status, self.tokenizer or {"detail": "Not Found"})
        elif scope["path"] == "/v1/models":
            card = {"object": "model", "root": "/x", "max_model_len": self.context_tokens}
            cards = [{"id": name, **card} for name in self.models]
            await _json(send, 200, {"object": "list", "data": cards})
        elif b"prompt_embeds" in body and not self.reads_embeddings:
            said = "You must set `--enable-prompt-embeds` to input `prompt_embeds`."
            await _json(send, 400, {"error": {"message": said, "type": "BadRequestError"}})
        else:
            self.requests.append(orjson.loads(body))
            self.arrived.set()
            await self._generate(receive, send)

    async def _generate(self, receive: Receive, send: Send) -> None:
        if self.hold and not await self._gate_opens(receive):
            return
        if not self.requests[-1].get("stream") or self.status != 200:
            await _json(send, self.status, self.answer)
            return
        await _start(send, 200, b"text/event-stream; charset=utf-8")
        for chunk in self.script:
            if chunk is None and not await self._gate_opens(receive):
                return
            if chunk == "die":
                raise ConnectionError("scripted death")
            if isinstance(chunk, bytes):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _gate_opens(self, receive: Receive) -> bool:
        """Wait for the gate; false, and `gone` set, when the client leaves first."""
        opened = asyncio.create_task(self.gate.wait())
        left = asyncio.create_task(_left(receive))
        await asyncio.wait({opened, left}, return_when=asyncio.FIRST_COMPLETED)
        opened.cancel()
        left.cancel()
        if left.done():
            self.gone.set()
            return False
        return True


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _body(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _start(send: Send, status: int, content_type: bytes) -> None:
    headers = [(b"content-type", content_type)]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def _json(send: Send, status: int, body: dict[str, Any]) -> None:
    await _start(send, status, b"application/json")
    await send({"type": "http.response.body", "body": orjson.dumps(body)})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        kind = (await receive())["type"]
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return


def chat_answer(text: str) -> dict[str, Any]:
    """A chat completion as vLLM sends it."""
    message: dict[str, Any] = {
        "role": "assistant",
        "content": text,
        "refusal": None,
        "tool_calls": [],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "demo",
        "choices": [choice],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }


def chat_chunk(text: str, finish: str | None = None) -> bytes:
    """One streamed chat event."""
    choice = {"index": 0, "delta": {"content": text}, "logprobs": None, "finish_reason": finish}
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "demo",
        "choices": [choice],
    }
    return b"data: " + orjson.dumps(chunk) + b"\n\n"


DONE = b"data: [DONE]\n\n"


@dataclass
class WordDetector(Detector):
    """Scores 1 for texts that hold a word, 0 for others."""

    word: str
    threshold: float = 0.5
    encoder: str | None = None
    version: str = ""

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        return np.array([float(self.word in text.lower()) for text in texts], dtype=np.float32)


@dataclass
class FailingDetector(Detector):
    """Raises, as a broken plug-in would."""

    threshold: float = 0.5
    encoder: str | None = None
    version: str = ""

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        raise RuntimeError("scripted failure")


@dataclass
class HangingDetector(Detector):
    """Waits until it is let go."""

    released: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    threshold: float = 0.5
    encoder: str | None = None
    version: str = ""

    def score(self, texts: Sequence[str], features: Features | None) -> Scores:  # noqa: ARG002
        self.entered.set()
        self.released.wait(30)
        return np.zeros(len(texts), dtype=np.float32)


@dataclass
class WaitingDetector(Detector):
    """Asks a server that answers when `gate` opens; notes how many questions it had at once."""

    word: str = "attack"
    waits: bool = True
    most_questions: int = 2
    timeout_s: float = 10
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    open: int = 0
    most_open: int = 0

    async def ask(self, contents: Sequence[Asked]) -> Scores:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self.gate.wait()
        finally:
            self.open -= 1
        return np.array([float(self.word in str(content)) for content in contents], np.float32)


class FeatureGiver(Detector):
    """Makes a detector one that gives the features of the encoder `e`: its own scores."""

    features_of: str | None = "e"

    def numbers_and_features(self, parts: Sequence[str]) -> tuple[Scores, Features]:
        """The score twice."""
        numbers = self.part_numbers(parts)
        return numbers, numbers[:, None]
