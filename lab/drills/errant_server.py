"""A model server that misbehaves as it is told.

    python -m lab.drills.errant_server --port 9000 --seen FILE

`POST /mode` with a word of `MODES` changes how all further requests are answered. A request whose
body holds `FORBIDDEN` should have been blocked: each one adds a line to FILE, which outlives the
process. `GET /seen` tells how many requests came and how many connections are open.
"""

import asyncio
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

import orjson

FORBIDDEN = b"forbidden-words"
MODES = ("ok", "slow", "hang", "garbage", "not_json", "half", "drop", "ill")
SLOW_S = 0.05

_CHUNK = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "demo"}
_ANSWER = {
    "id": "1",
    "object": "chat.completion",
    "created": 1,
    "model": "demo",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
}


class ErrantServer:
    """All connections share the mode and the counts."""

    def __init__(self, seen: Path) -> None:
        self.mode = "ok"
        self._seen = seen
        self._requests = 0
        self._open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it ends."""
        self._open += 1
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection is still good."""
        head = await reader.readuntil(b"\r\n\r\n")
        method, path, *_ = head.split(b" ", 2)
        body = await reader.readexactly(_length(head))
        if path == b"/mode":
            self.mode = body.decode()
            return await _write(writer, _whole(b"{}"))
        if path == b"/seen":
            counts = {"requests": self._requests, "open": self._open}
            return await _write(writer, _whole(orjson.dumps(counts)))
        if method == b"GET":
            listed = {"object": "list", "data": [{"id": "demo", "object": "model"}]}
            return await _write(writer, _whole(orjson.dumps(listed)))
        self._requests += 1
        if FORBIDDEN in body:
            with self._seen.open("a") as file:
                file.write("a request that should have been blocked\n")
        return await self._misbehave(reader, writer, b'"stream":true' in body)

    async def _misbehave(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, streams: bool
    ) -> bool:
        whole = _stream() if streams else _whole(orjson.dumps(_ANSWER))
        match self.mode:
            case "slow":
                await asyncio.sleep(SLOW_S)
            case "hang":
                await reader.read(1)  # until the client has had enough
                return False
            case "garbage":
                whole = b"\x00\xff no HTTP\r\n\r\n"
            case "not_json":
                whole = _whole(b"<html>", b"text/html")
            case "half":
                whole = whole[: len(whole) * 2 // 3]
            case "drop":
                return False
            case "ill":
                whole = _whole(b"{}", status=b"503 Service Unavailable")
        await _write(writer, whole)
        return self.mode not in ("garbage", "half")


def _length(head: bytes) -> int:
    _, _, after = head.lower().partition(b"\r\ncontent-length:")
    return int(after.partition(b"\r\n")[0]) if after else 0


async def _write(writer: asyncio.StreamWriter, content: bytes) -> bool:
    writer.write(content)
    await writer.drain()
    return True


def _whole(
    body: bytes, content_type: bytes = b"application/json", status: bytes = b"200 OK"
) -> bytes:
    head = b"HTTP/1.1 %b\r\ncontent-type: %b\r\ncontent-length: %d\r\n\r\n"
    return head % (status, content_type, len(body)) + body


def _stream() -> bytes:
    deltas = [(f"word{number} ", None) for number in range(20)] + [("", "stop")]
    events = [
        b"data: %b\n\n"
        % orjson.dumps(
            _CHUNK
            | {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}]}
        )
        for text, finish in deltas
    ]
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
    chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in (*events, b"data: [DONE]\n\n")]
    return head + b"\r\n" + b"".join(chunks) + b"0\r\n\r\n"


async def _run(port: int, seen: Path) -> None:
    server = await asyncio.start_server(ErrantServer(seen).serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the process ends."""
    parser = ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seen", type=Path, required=True)
    given = parser.parse_args(arguments)
    asyncio.run(_run(given.port, given.seen))


if __name__ == "__main__":
    main()
