"""Sends fuzzed requests through the real ASGI application, in process, and judges the answers."""

import asyncio
import logging
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import orjson
from starlette.types import ASGIApp, Message

from guard.corruption.functions import Corruption
from guard.corruption.prompt_embedder import PromptEmbedder
from guard.corruption.rewriting import Rewriter
from guard.detectors.kinds import load_detectors
from guard.gateway.loading import Resources
from guard.gateway.models.model_tokenizers import open_tokenizers
from guard.screening.policy import Policy
from guard.server.app import create_app
from guard.settings import Settings
from tests.e2e.bypass.canary import PHRASE
from tests.e2e.bypass.rig import ALICE, settings_for
from tests.e2e.bypass.vectors.vector import COUNT_TOKENS, MESSAGES
from tests.fuzz.corpus import ROUTES, seeds
from tests.fuzz.mutations import flipped, mutated, serialised
from tests.fuzz.upstream import ErrantVLLM
from tests.guard.corruption.checkpoints import random_rows, write_checkpoint
from tests.servers import serving

ANTHROPIC = frozenset({MESSAGES, COUNT_TOKENS})
# 500 is never right; the other 5xx tell of a sick model server or of too much work.
ALLOWED = frozenset({200, 400, 401, 403, 404, 408, 413, 415, 422, 502, 503, 504})
CONTEXT_TOKENS = 512
EVERYTHING = (
    *("chat_template_kwargs", "functions", "messages.tools", "best_of", "truncate_prompt_tokens"),
    *("vllm_xargs", "kv_transfer_params", "cache_salt", "request_id", "priority", "prompt_embeds"),
    *("add_special_tokens", "mm_processor_kwargs", "function_call", "audio", "modalities"),
)
CONFIGURATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "blocking": ("block", {}),
    "corrupting": ("corrupt", {}),
    "judging": (
        "block",
        {
            "detectors": {
                "canary": {"kind": "phrases", "phrases": [PHRASE]},
                "said": {"kind": "phrases", "phrases": ["hm", "no"]},
                "rules": {"kind": "instructions"},
            },
            "policies": [
                {"name": "canary", "detector": "canary", "action": "block"},
                {"name": "said", "detector": "said", "action": "redact", "side": "answer"},
                {"name": "rules", "detector": "rules", "action": "replace", "side": "answer"},
            ],
        },
    ),
    "judging at once": (
        "block",
        {
            "policies": [
                {"name": "canary", "detector": "canary", "action": "block"},
                {"name": "said", "detector": "canary", "action": "block", "side": "answer"}
                | {"mode": "tail"},
            ]
        },
    ),
    "permissive": (
        "block",
        {
            "fields": {"unknown": "refuse", "allow": EVERYTHING, "media": "allow_unscreened"},
            "refusal": {"form": "message"},
            "limits": {"body_depth": 200},
        },
    ),
}
CONTENT_TYPES = ("application/json", "application/json; charset=utf-8", "", "text/plain", "\xff")
IDENTITIES = ("abc-1", "a b", "\x00", "x" * 500, "\xe9")


@dataclass(frozen=True)
class Request:
    """One fuzzed request."""

    configuration: str
    route: str
    raw: bytes
    headers: tuple[tuple[str, str], ...]
    leaves: bool = False


@dataclass
class Answer:
    """What the application sent."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass
class Report:
    """The figures of a run; `faults` are (request, what was wrong), the first few of each kind."""

    statuses: Counter[int] = field(default_factory=Counter)
    routes: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[Request, str]] = field(default_factory=list)
    left: int = 0
    upstream: int = 0
    corrupted: int = 0


class Fuzzer:
    """Makes requests from a seed; the same seed makes the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._seeds = seeds()

    def request(self) -> Request:
        """The next request."""
        random = self._random
        route = random.choice(ROUTES)
        raw = self._body(route)
        headers = [("authorization", f"Bearer {ALICE}"), ("content-type", "application/json")]
        if random.random() < 0.05:
            headers[1] = ("content-type", random.choice(CONTENT_TYPES))
        if random.random() < 0.05:
            headers.append(("x-request-id", random.choice(IDENTITIES)))
        if random.random() < 0.02:
            headers.append(("content-encoding", random.choice(("gzip", "identity", "br"))))
        if random.random() < 0.02:
            headers.append(("content-length", random.choice(("0", "-1", "9" * 30, "x"))))
        configuration = random.choice(sorted(CONFIGURATIONS))
        return Request(configuration, route, raw, tuple(headers), random.random() < 0.01)

    def _body(self, route: str) -> bytes:
        random = self._random
        chance = random.random()
        if chance < 0.02:
            return random.randbytes(random.randrange(200))
        body = random.choice(self._seeds[route])
        if chance < 0.15:
            return serialised(body, random)
        raw = serialised(mutated(body, random), random)
        return flipped(raw, random) if chance < 0.35 else raw


@asynccontextmanager
async def applications(folder: Path, upstream: ErrantVLLM) -> AsyncIterator[dict[str, ASGIApp]]:
    """The application in every configuration, started, in front of the errant server."""
    model = write_checkpoint(folder / "model", random_rows(320, 16, np.dtype(np.float32)))
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(serving(upstream))
        made: dict[str, ASGIApp] = {}
        for name, (action, sections) in CONFIGURATIONS.items():
            settings = settings_for(url, model, action, **sections)
            app = create_app(settings, _resources(settings, model))
            await stack.enter_async_context(app.router.lifespan_context(app))
            made[name] = app
        yield made


def _resources(settings: Settings, model: Path) -> Resources:
    """As `load_resources` makes them, without a key from the environment."""
    embedder = PromptEmbedder.open(model, key=b"a key for tests", max_tokens=CONTEXT_TOKENS)
    _, detectors = load_detectors(settings)
    return Resources(
        policies=tuple(Policy.build(rule, detectors[rule.detector]) for rule in settings.policies),
        encoder=None,
        rewriter=Rewriter({"demo": embedder}, Corruption("rand_noise_first_n", 1, 50.0), key=b"k"),
        tokenizers=open_tokenizers(settings.models),
        upstream_key=None,
    )


async def run(
    requests: int, seed: int, folder: Path, advance: Callable[[], None] = lambda: None
) -> Report:
    """Send so many requests; `advance` is called after each."""
    fuzzer, report, upstream = Fuzzer(seed), Report(), ErrantVLLM()
    async with applications(folder, upstream) as apps:
        with _Failures() as failures:
            for _ in range(requests):
                request = fuzzer.request()
                answer = await ask(apps[request.configuration], request)
                _note(report, request, answer, failures.take())
                if upstream.leaks:
                    report.faults.append((request, "the canary went upstream"))
                    upstream.leaks.clear()
                advance()
    report.upstream, report.corrupted = upstream.answered, upstream.corrupted
    return report


def _note(report: Report, request: Request, answer: Answer, failures: list[str]) -> None:
    report.statuses[answer.status] += 1
    report.routes[request.route] += 1
    if answer.status == 0 and request.leaves:
        report.left += 1
        return
    wrong = [*failures, *judged(request.route, answer, report.codes)]
    report.faults += [(request, fault) for fault in wrong]


def judged(route: str, answer: Answer, codes: Counter[str]) -> list[str]:
    """What is wrong with an answer; counts the codes of errors."""
    if answer.status not in ALLOWED:
        return [f"status {answer.status}"]
    wrong = [] if answer.headers.get("x-request-id") else ["no request id"]
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return wrong if answer.body.endswith(b"\n\n") else [*wrong, "torn events"]
    try:
        body = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        # A 200 that passes untouched is the model server's own, be it JSON or not.
        return wrong if answer.status == 200 else [*wrong, "no JSON"]
    if answer.status == 200:
        return wrong
    error = body.get("error")
    names = {"type", "message"} if route in ANTHROPIC else {"message", "type", "param", "code"}
    if not isinstance(error, dict) or not names <= error.keys() or not error["message"]:
        return [*wrong, "no envelope"]
    codes[str(error.get("code", error["type"]))] += 1
    return wrong


async def ask(app: ASGIApp, request: Request) -> Answer:
    """One request in process: no socket between it and the application."""
    answer, answered = Answer(), asyncio.Event()
    pieces: list[Message] = [{"type": "http.request", "body": request.raw, "more_body": False}]

    async def receive() -> Message:
        if pieces:
            return pieces.pop()
        if not request.leaves:
            await answered.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            headers = message.get("headers", ())
            answer.headers = {name.decode(): value.decode("latin-1") for name, value in headers}
        else:
            answer.body += message.get("body", b"")
            if not message.get("more_body"):
                answered.set()

    await app(_scope(request), receive, send)
    return answer


def _scope(request: Request) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": request.route,
        "raw_path": request.route.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in request.headers],
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
    }


class _Failures(logging.Handler):
    """The exceptions that the application swallowed into an internal error."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._found: list[str] = []
        self._logger = logging.getLogger("guard")

    def __enter__(self) -> "_Failures":
        self._level = self._logger.level
        self._logger.setLevel(logging.DEBUG)
        self._logger.addHandler(self)
        self._propagates, self._logger.propagate = self._logger.propagate, False
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.setLevel(self._level)
        self._logger.propagate = self._propagates

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            last = traceback.extract_tb(error.__traceback__)[-1]
            self._found.append(f"{type(error).__name__} at {last.filename}:{last.lineno}")
        elif record.levelno >= logging.ERROR:
            self._found.append(record.getMessage())

    def take(self) -> list[str]:
        """What was found since the last call; request ids make no two alike."""
        found, self._found = self._found, []
        return [fault for fault in found if not fault.startswith("request ")]
