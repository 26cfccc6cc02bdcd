"""A pooling endpoint for tests: a real HTTP server whose vectors follow from the token ids."""

import base64
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers

from guard.artifacts.folder import Artifact, write
from guard.artifacts.manifest import draft
from guard.encoders.pooling_encoder import KIND
from guard.encoders.pooling_endpoint import Vectors

WIDTH = 8
PREFIX, SUFFIX = "<|user|>", "<|end|><|assistant|>"
PROBE_TEXTS = ["what is a bridge", "tell me about rivers"]


def vector_of(ids: Sequence[int], width: int = WIDTH) -> Vectors:
    """What the server answers for a prompt: not of unit length, other for any other ids."""
    rng = np.random.default_rng([len(ids), *ids])
    return rng.standard_normal(width).astype(np.float32) * 7


class PooledIds:
    """The server's vectors without a server."""

    def __init__(self, width: int = WIDTH) -> None:
        self.width = width
        self.prompts: list[list[int]] = []

    def vectors(self, prompts: Sequence[Sequence[int]]) -> Vectors:
        self.prompts.extend(list(ids) for ids in prompts)
        return np.stack([vector_of(ids, self.width) for ids in prompts])

    def close(self) -> None:
        """Nothing is open."""


def byte_tokenizer() -> Tokenizer:
    """A token for each byte, and the template's marks."""
    alphabet = {mark: at for at, mark in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    tokenizer = Tokenizer(models.BPE(vocab=alphabet, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.add_special_tokens([PREFIX, "<|end|>", "<|assistant|>"])
    return tokenizer


def write_pooling_artifact(folder: Path, max_tokens: int = 64, **recipe: object) -> Artifact:
    """A pooling encoder whose probes are what `vector_of` gives."""
    tokenizer = byte_tokenizer()
    prompts = [tokenizer.encode(PREFIX + text + SUFFIX).ids for text in PROBE_TEXTS]
    probes = np.stack([vector_of(ids) for ids in prompts])
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    whole = {
        **{"model": "demo", "pooling": "last", "width": WIDTH, "max_tokens": max_tokens},
        **{"prefix": PREFIX, "suffix": SUFFIX, "special_tokens": False, "probes": PROBE_TEXTS},
        **recipe,
    }
    files = {"tokenizer.json": tokenizer.to_str().encode()}
    manifest = draft(KIND, "demo", recipe=whole)
    return write(folder, manifest, tensors={"probes": probes}, files=files)


@dataclass
class PoolingServer:
    """How the running server answers, and what it was asked."""

    url: str = ""
    status: int = 200
    body: bytes | None = None
    floats: bool = False
    hold: threading.Event | None = None
    shift: int = 0
    served: dict[str, object] = field(default_factory=dict)
    turn_tokens: Callable[[str], list[int]] | None = None
    vector_of: Callable[[list[int]], Vectors] | None = None
    embeds: bool = True
    requests: list[dict[str, object]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    peers: list[object] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: dict[str, object]) -> bytes:
        """The vectors of a request's prompts, last one first: order is by index alone."""
        if self.body is not None:
            return self.body
        if request["path"] == "/tokenize":
            return self._tokens(request)
        prompts = request["input"]
        assert isinstance(prompts, list)
        rows = [{"index": at, "embedding": self._shown(ids)} for at, ids in enumerate(prompts)]
        return json.dumps({"data": rows[::-1]}).encode()

    def _shown(self, ids: list[int]) -> object:
        vector = (self.vector_of or vector_of)(ids[: self.shift] if self.shift else ids)
        return vector.tolist() if self.floats else base64.b64encode(vector.tobytes()).decode()

    def _tokens(self, request: dict[str, object]) -> bytes:
        assert self.turn_tokens is not None
        messages = request["messages"]
        assert isinstance(messages, list)
        return json.dumps({"tokens": self.turn_tokens(messages[0]["content"])}).encode()

    def status_of(self, path: str) -> int:
        """404 for what this server does not offer."""
        known = {
            "/v1/embeddings": self.embeds,
            "/tokenize": self.turn_tokens,
            "/v1/models": self.served,
        }
        return self.status if known.get(path) else 404

    @contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.hold is not None:
                self.hold.wait(20)
            yield
        finally:
            with self.lock:
                self.in_flight -= 1


@contextmanager
def pooling_server() -> Iterator[PoolingServer]:
    """A server on a free loopback port."""
    server = PoolingServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            request["path"] = self.path
            server.requests.append(request)
            server.headers.append({key.lower(): value for key, value in self.headers.items()})
            server.peers.append(self.client_address)
            with server.counted():
                status = server.status_of(self.path)
                self._send(status, b"{}" if status == 404 else server.answer(request))

        def do_GET(self) -> None:
            server.headers.append({key.lower(): value for key, value in self.headers.items()})
            content = server.body or json.dumps({"data": [server.served]}).encode()
            self._send(server.status_of(self.path), content)

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on standard error."""

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        if server.hold is not None:
            server.hold.set()
        listener.shutdown()
        listener.server_close()
        thread.join()
