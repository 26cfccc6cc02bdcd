"""A model server that answers any request, now and then wrongly, and looks for the canary."""

import hashlib
from typing import Any

import orjson
from starlette.types import Receive, Scope, Send

from guard.detectors.names.phrases import PhraseList
from guard.wire.call import strings
from tests.e2e.bypass.canary import PHRASE
from tests.fakes import DONE, chat_answer, chat_chunk

COMPLETION: dict[str, Any] = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1,
    "model": "demo",
    "choices": [{"index": 0, "text": "Hello.", "logprobs": None, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}
TOOL_CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
CHAT = {
    **chat_answer("Hello."),
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "reasoning": "Hm.",
                "tool_calls": [TOOL_CALL],
            },
            "logprobs": None,
            "finish_reason": "tool_calls",
        }
    ],
}
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "/v1/chat/completions": [chat_answer("Hello."), CHAT],
    "/v1/completions": [COMPLETION],
    "/v1/embeddings": [{"object": "list", "data": [], "model": "demo", "usage": {}}],
    "/tokenize": [{"count": 3, "max_model_len": 512, "tokens": [1, 2, 3]}],
    "/detokenize": [{"prompt": "Hello."}],
}
ERROR = {"error": {"message": "no", "type": "BadRequestError", "param": "n", "code": 400}}
# What a sick server, or something in between, may answer: (status, content type, body).
WRONG: tuple[tuple[int, bytes, bytes], ...] = (
    (400, b"application/json", orjson.dumps(ERROR)),
    (404, b"application/json", orjson.dumps(ERROR)),
    (422, b"application/json", b'{"detail": []}'),
    (400, b"text/html", b"<html>"),
    (500, b"application/json", orjson.dumps(ERROR)),
    (401, b"application/json", orjson.dumps(ERROR)),
    (503, b"text/plain", b""),
    (204, b"application/json", b""),
    (200, b"application/json", b'{"choices": []}'),
    (200, b"application/json", b"not JSON"),
    (200, b"application/json", b"[]"),
    (200, b"text/event-stream", b"data: not JSON\n\ndata: [DONE]\n\n"),
    (200, b"text/event-stream", b"data: {"),
    (200, b"text/event-stream", b'data: {"choices": [{"index": 99}]}\n\ndata: [DONE]\n\n'),
    (200, b"text/event-stream", b""),
)
MEDIA = ("image_url", "input_audio", "audio_url", "video_url")
ONE_IN = 16


class ErrantVLLM:
    """The server as an ASGI application; `leaks` are bodies in which the canary came through."""

    def __init__(self) -> None:
        self._phrases = PhraseList([PHRASE])
        self.leaks: list[bytes] = []
        self.answered = 0
        self.corrupted = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its body decides how, so that a run can be repeated."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        body = await _read(receive)
        self.answered += 1
        self.corrupted += b"prompt_embeds" in body
        if scope["path"] not in ("/tokenize", "/detokenize"):
            self._look(body)
        choice = int.from_bytes(hashlib.sha256(body).digest()[:4])
        status, kind, answer = _answer(scope["path"], body, choice)
        start = {"type": "http.response.start", "status": status}
        await send({**start, "headers": [(b"content-type", kind)]})
        await send({"type": "http.response.body", "body": answer})

    def _look(self, body: bytes) -> None:
        if any(self._phrases.occurs(text) for text in strings(_without_media(orjson.loads(body)))):
            self.leaks.append(body)


def _without_media(value: Any) -> Any:
    """A body without the parts that go unscreened where the operator allows media."""
    if isinstance(value, dict):
        media = value.get("type") in MEDIA
        return None if media else {key: _without_media(inner) for key, inner in value.items()}
    return [_without_media(inner) for inner in value] if isinstance(value, list) else value


def _answer(path: str, body: bytes, choice: int) -> tuple[int, bytes, bytes]:
    if choice % ONE_IN == 0:
        return WRONG[choice // ONE_IN % len(WRONG)]
    if orjson.loads(body).get("stream") is True:
        events = chat_chunk("Hel") + chat_chunk("lo.", "stop") + DONE
        return 200, b"text/event-stream; charset=utf-8", events
    answers = ANSWERS.get(path, [ERROR])
    return 200, b"application/json", orjson.dumps(answers[choice // ONE_IN % len(answers)])


async def _read(receive: Receive) -> bytes:
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


async def _live(receive: Receive, send: Send) -> None:
    for kind in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{kind}.complete"})
