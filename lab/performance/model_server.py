"""A model server that costs next to nothing: the same answer to every request, JSON or a stream.

    python -m lab.performance.model_server --port 9000

The name of the model chooses the pace: `prompt` answers at once, `late` after the time to the
first token, `paced` like `late` and then an event every few milliseconds.
"""

import asyncio
import re
from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import orjson

PACES = ("prompt", "late", "paced")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM = re.compile(rb'"stream": ?true')
_MODEL = re.compile(rb'"model": ?"([a-z]+)"')


@dataclass(frozen=True, slots=True)
class Script:
    """What is answered: bytes of a JSON answer's text, events of a stream, and seconds."""

    answer_bytes: int = 700
    events: int = 64
    first_byte_s: float = 0.03
    event_s: float = 0.005


class Answers:
    """The bytes of every answer, made once."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.json = _whole(
            200, b"application/json", _completion("word " * (script.answer_bytes // 5))
        )
        self.ready = _whole(200, b"application/json", b"{}")
        self.models = _whole(200, b"application/json", _models())
        self.start = (
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        self.events = [chunk(event(f"word{number} ")) for number in range(script.events - 1)]
        self.events.append(chunk(event("", "stop")))
        self.end = chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"


class Connection(asyncio.Protocol):
    """One client's connection: requests one after the other, kept alive."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._held = b""
        self._timer: asyncio.TimerHandle | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # Of uvloop, whose transports are no subclasses of asyncio's.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Nobody waits any more."""
        if self._timer:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        """Answer once a request is whole."""
        self._held += data
        head, blank, body = self._held.partition(b"\r\n\r\n")
        if not blank:
            return
        length = _LENGTH.search(head)
        if len(body) < (int(length[1]) if length else 0):
            return
        self._held = b""
        self._answer(head, body)

    def _answer(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path != b"/v1/chat/completions":
            models = path.startswith(b"/v1/models")
            self._transport.write(self._answers.models if models else self._answers.ready)
            return
        found = _MODEL.search(body)
        pace = found[1].decode() if found else "prompt"
        if pace == "prompt":
            self._begin(body, pace)
        else:
            delay = self._answers.script.first_byte_s
            self._timer = self._loop.call_later(delay, self._begin, body, pace)

    def _begin(self, body: bytes, pace: str) -> None:
        if not _STREAM.search(body):
            self._transport.write(self._answers.json)
            return
        self._transport.write(self._answers.start)
        self._send(0, pace)

    def _send(self, number: int, pace: str) -> None:
        """Send event by event: at a pace, or each in a turn of the loop of its own."""
        if self._transport.is_closing():
            return
        if number == len(self._answers.events):
            self._transport.write(self._answers.end)
            return
        self._transport.write(self._answers.events[number])
        delay = self._answers.script.event_s if pace == "paced" else 0
        self._timer = self._loop.call_later(delay, self._send, number + 1, pace)


def _whole(status: int, content_type: bytes, body: bytes) -> bytes:
    head = b"HTTP/1.1 %d OK\r\ncontent-type: %s\r\ncontent-length: %d\r\n\r\n"
    return head % (status, content_type, len(body)) + body


def chunk(data: bytes) -> bytes:
    """Data as a chunk of a body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def _completion(text: str) -> bytes:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 20, "completion_tokens": 140, "total_tokens": 160}
    identity = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "prompt"}
    return orjson.dumps({**identity, "choices": [choice], "usage": usage})


def event(text: str, finish: str | None = None) -> bytes:
    """An event of a stream that says `text`."""
    delta = {"content": text} if finish is None else {}
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    kind = "chat.completion.chunk"
    identity = {"id": "chatcmpl-1", "object": kind, "created": 1, "model": "prompt"}
    return b"data: " + orjson.dumps({**identity, "choices": [choice]}) + b"\n\n"


def _models() -> bytes:
    return orjson.dumps({"object": "list", "data": [{"id": n, "object": "model"} for n in PACES]})


async def serve(script: Script, port: int) -> asyncio.Server:
    """Listen on loopback; port 0 takes a free one."""
    answers = Answers(script)
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Connection(answers), "127.0.0.1", port, backlog=512)


async def _run(script: Script, port: int) -> None:
    await (await serve(script, port)).serve_forever()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until ended."""
    import uvloop

    parser = ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--answer-bytes", type=int, default=700)
    parser.add_argument("--events", type=int, default=64)
    parser.add_argument("--first-byte-ms", type=float, default=30)
    parser.add_argument("--event-ms", type=float, default=5)
    given = parser.parse_args(arguments)
    script = Script(
        given.answer_bytes, given.events, given.first_byte_ms / 1000, given.event_ms / 1000
    )
    uvloop.run(_run(script, given.port))


if __name__ == "__main__":
    main()
