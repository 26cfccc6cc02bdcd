"""A chat model for tests, over real HTTP: byte tokens, answers it knows, damage by corruption.

It answers what it was taught about a question, and less of it the further the question's
embeddings lie from the table's rows. Like vLLM 0.32 it dies when asked for prompt logprobs beside
embeddings without a spare vocabulary row.
"""

import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.guard.corruption.checkpoints import (
    FLOAT_TYPES,
    make_tokenizer,
    random_rows,
    write_checkpoint,
)
from tests.guard.corruption.test_payload import load

WIDTH = 16
TURN, END, THINK, NEWLINE = 2, 1, 5, 13
PLACEHOLDER = 259
"""The token that stands for embeddings: `len(tokenizer)`, as in vLLM."""

Pieces = list[int | NDArray[np.float32]]


@dataclass
class ChatServer:
    """What the running server knows and was asked; `dead` once its engine ended."""

    folder: Path
    answers: Mapping[str, str]
    rows: int = 300
    scale: float = 1.0
    think: bool = False
    sampled: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What is said to a question in turn where answers are drawn at a temperature."""
    failures: list[int] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    code: str = "overloaded"
    url: str = ""
    dead: bool = False
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.table = random_rows(self.rows, WIDTH, FLOAT_TYPES[2])
        write_checkpoint(self.folder, self.table)
        self.tokenizer = make_tokenizer()

    def answer(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        """Status and answer; None closes the connection."""
        if self.failures:
            return self.failures.pop(0), {"error": {"message": "busy", "code": self.code}}
        if path == "/tokenize":
            return 200, {"tokens": self.render(body)}
        if self.dead:
            return None
        if any(int(token) >= self.rows for token in body.get("logit_bias", {})):
            return 400, {"error": {"message": "token_id(s) contain out-of-vocab token ids"}}
        return self._chat(body)

    def _chat(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]] | None:
        pieces = self.render(body)
        flat = [piece if isinstance(piece, int) else PLACEHOLDER for piece in pieces]
        question, damage = self._understand(pieces)
        known = self.answers.get(question, "I do not know.")
        answer: dict[str, Any] = {"prompt_token_ids": flat}
        if "prompt_logprobs" in body:
            if PLACEHOLDER in flat and self.rows <= PLACEHOLDER:
                self.dead = True
                return None
            answer["prompt_logprobs"] = self._scored(flat, known, damage)
        words = known.split()
        kept = words[: max(0, round(len(words) * (1 - damage)))] or ["unknown"]
        text = " ".join(kept)[: body["max_tokens"]]
        choice: dict[str, Any] = {"message": {"content": text}}
        if allowed := body.get("allowed_token_ids"):
            logprob = self._logprob(flat, allowed[0], known, damage)
            choice["logprobs"] = {"content": [{"logprob": logprob}]}
        elif body.get("logprobs"):
            choice["logprobs"] = {"content": [{"logprob": -0.1 - damage}] * len(text)}
        count = body.get("n", 1)
        if body.get("temperature") and question in self.sampled:
            texts = itertools.islice(itertools.cycle(self.sampled[question]), count)
            return 200, {**answer, "choices": [{"message": {"content": t}} for t in texts]}
        return 200, {**answer, "choices": [choice] * count}

    def render(self, body: dict[str, Any]) -> Any:
        """The chat template: token ids, and arrays where embeddings stand."""
        messages, pieces = body["messages"], [0]
        for message in messages:
            pieces.append(TURN)
            content = message["content"]
            for part in [{"text": content}] if isinstance(content, str) else content:
                pieces.extend(self._tokens(part))
            if message is not messages[-1] or not body.get("continue_final_message"):
                pieces += [END, NEWLINE]
        if body.get("add_generation_prompt", True):
            pieces += [TURN, THINK] if self.think else [TURN]
        return pieces

    def _tokens(self, part: Mapping[str, str]) -> list[Any]:
        if part.get("type") == "prompt_embeds":
            return list(load(part["data"]).float().numpy())
        return list(self.tokenizer.encode(part["text"], add_special_tokens=False).ids)

    def _understand(self, pieces: Pieces) -> tuple[str, float]:
        """The question that the first embeddings are nearest to, and how near; or the text's."""
        ends = [at for at, piece in enumerate(pieces) if isinstance(piece, int) and piece == END]
        said = pieces[2 : ends[0]]
        arrays = [piece for piece in said if not isinstance(piece, int)]
        if not arrays:
            return self.tokenizer.decode([piece for piece in said if isinstance(piece, int)]), 0.0
        seen = np.stack(arrays)
        best = ("", 1.0)
        for question in self.answers:
            ids = self.tokenizer.encode(question, add_special_tokens=False).ids
            if len(ids) == len(seen):
                away = np.sqrt(np.mean((seen - self.table[ids].astype(np.float32)) ** 2))
                best = min(best, (question, float(away / self.scale)), key=lambda found: found[1])
        return best

    def _scored(self, flat: list[int], known: str, damage: float) -> list[Any]:
        entries: list[Any] = [None]
        for at in range(1, len(flat)):
            logprob = self._logprob(flat[:at], flat[at], known, damage)
            entries.append({str(flat[at]): {"logprob": logprob}})
        return entries

    def _logprob(self, before: list[int], token: int, known: str, damage: float) -> float:
        """High where `token` goes on with the known answer; the question's damage lowers it."""
        start = len(before) - before[::-1].index(TURN) if TURN in before else 0
        expected = [*self.tokenizer.encode(known, add_special_tokens=False).ids, END]
        at = len(before) - start
        is_known = at < len(expected) and expected[at] == token
        return -0.1 * (1 + at % 3) - damage if is_known else -3.0


@contextmanager
def chat_server(folder: Path, answers: Mapping[str, str], **options: Any) -> Iterator[ChatServer]:
    """A server on a free loopback port; its model folder is `folder`."""
    server = ChatServer(folder, answers, **options)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body are two packets

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with server.lock:
                server.requests.append({"path": self.path, **body})
                server.in_flight += 1
                server.most_in_flight = max(server.most_in_flight, server.in_flight)
                found = server.answer(self.path, body)
            if found is None:
                self.close_connection = True
            else:
                self._send(*found)
            with server.lock:
                server.in_flight -= 1

        def do_GET(self) -> None:
            card = {"id": "demo", "root": str(server.folder), "max_model_len": 512}
            self._send(200, {"data": [card]})

        def _send(self, status: int, answer: dict[str, Any]) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, args=(0.02,))
    thread.start()
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
