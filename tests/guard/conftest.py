"""A proxy in front of a scripted vLLM, both real servers."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from guard.corruption.rewriting import Rewriter
from guard.detectors.malicious.text import MaliciousTextClassifier
from guard.encoders.onnx_encoder import OnnxEncoder
from guard.encoders.pooling_endpoint import PoolingEndpoint
from guard.gateway.loading import Resources
from guard.gateway.models.model_tokenizers import ModelTokenizer
from guard.recognition.prompts import NOTHING_PINNED, PinnedPrompts
from guard.rendering.chat_template import ChatTemplate
from guard.screening.policy import Policy
from guard.server.app import create_app
from guard.settings import Settings
from guard.terms.detector import Detector, Encoder
from tests import redis_server
from tests.fakes import Clock, FakeVLLM, WordDetector
from tests.loop_watchdog import Watchdog, off_the_loop, refusing_to_wait, watching
from tests.servers import serving

CHAT = "/v1/chat/completions"


@dataclass
class Rig:
    """A running proxy, its client, and the scripted vLLM behind it."""

    client: httpx2.AsyncClient
    vllm: FakeVLLM

    async def chat(
        self, text: str, headers: dict[str, str] | None = None, **extra: Any
    ) -> httpx2.Response:
        """Ask one user message."""
        messages = [{"role": "user", "content": text}]
        body = {"model": "demo", "messages": messages, **extra}
        return await self.client.post(CHAT, json=body, headers=headers)

    async def metrics_with(self, series: str) -> str:
        """The exposition, once it has the series: policies in shadow judge after the answer."""
        async with asyncio.timeout(10):
            while series not in (text := (await self.client.get("/metrics")).text):
                pass
        return text


def bearer(key: str) -> dict[str, str]:
    """The header that presents an API key."""
    return {"authorization": f"Bearer {key}"}


def key_of(text: str, *scopes: str) -> dict[str, Any]:
    """An API key's place in the configuration; its name is its text."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"name": text, "sha256": digest, "scopes": list(scopes or ("inference",))}


# What takes milliseconds, or as long as a model server likes: in threads only.
LONG = (
    *((Rewriter, "rewrite"), (PoolingEndpoint, "vectors")),
    *((OnnxEncoder, "encode"), (MaliciousTextClassifier, "logits")),
)

RigMaker = Callable[..., AbstractAsyncContextManager[Rig]]


@pytest.fixture(autouse=True)
def loop_stays_free() -> Iterator[None]:
    """Fails a test in which something of ours held the event loop up."""
    with watching(Watchdog()) as watchdog, off_the_loop(*LONG), refusing_to_wait("guard"):
        yield
    assert not watchdog.found


@pytest.fixture
def vllm() -> FakeVLLM:
    return FakeVLLM()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_rig(vllm: FakeVLLM) -> RigMaker:
    """Makes a rig whose policies are given as (action, detector) pairs."""

    @asynccontextmanager
    async def make(
        *rules: tuple[str, Detector],
        on_error: str = "block",
        rewriter: Rewriter | None = None,
        encoder: Encoder | None = None,
        whens: Sequence[dict[str, Any]] = (),
        upstream_options: dict[str, Any] | None = None,
        pinned: PinnedPrompts = NOTHING_PINNED,
        policy_options: dict[str, Any] | None = None,
        templates: Mapping[str, ChatTemplate] | None = None,
        tokenizers: Mapping[str, ModelTokenizer] | None = None,
        **sections: Any,
    ) -> AsyncIterator[Rig]:
        async with serving(vllm) as upstream:
            if upstream_options is not None:
                sections["upstream"] = {"url": upstream, **upstream_options}
            settings = settings_for(
                upstream, rules, on_error, sections, whens, policy_options or {}
            )
            resources = Resources(
                policies_of(settings, rules),
                encoder,
                rewriter,
                tokenizers or {},
                None,
                templates=templates or {},
                pinned=pinned,
            )
            # As in a process of its own: made before there is an event loop.
            app = await asyncio.to_thread(create_app, settings, resources)
            async with (
                serving(app) as url,
                httpx2.AsyncClient(base_url=url, timeout=10) as client,
            ):
                yield Rig(client, vllm)

    return make


def settings_for(
    upstream: str,
    rules: tuple[tuple[str, Detector], ...],
    on_error: str,
    sections: dict[str, Any],
    whens: Sequence[dict[str, Any]] = (),
    policy_options: dict[str, Any] | None = None,
) -> Settings:
    """Settings whose detectors are placeholders: the rig hands over its own.

    `whens` says what the policies are for, one for each of the first.
    """
    detectors = {f"d{i}": {"kind": "phrases", "phrases": ["x"]} for i in range(len(rules))}
    policies: list[dict[str, Any]] = [
        {"name": f"p{i}", "detector": f"d{i}", "action": action, "on_error": on_error}
        | (policy_options or {})
        for i, (action, _) in enumerate(rules)
    ]
    for policy, when in zip(policies, whens, strict=False):
        policy["when"] = when
    return Settings.model_validate(
        {
            # What arrives upstream is asserted: unless a test asks for more, only what is to.
            "upstream": {"url": upstream, "send_early": False},
            "detectors": detectors,
            "policies": policies,
            **sections,
        }
    )


def policies_of(settings: Settings, rules: tuple[tuple[str, Detector], ...]) -> tuple[Policy, ...]:
    """The settings' policies over the rig's detectors."""
    pairs = zip(settings.policies, rules, strict=True)
    return tuple(Policy.build(policy, detector) for policy, (_, detector) in pairs)


@pytest.fixture
async def rig(make_rig: RigMaker) -> AsyncIterator[Rig]:
    """Blocks what holds the word "attack"."""
    async with make_rig(("block", WordDetector("attack"))) as made:
        yield made


@pytest.fixture(scope="session")
def started_redis() -> Iterator[redis_server.RedisServer]:
    with redis_server.running() as server:
        yield server


@pytest.fixture
def redis(started_redis: redis_server.RedisServer) -> redis_server.RedisServer:
    """Running and empty; a test that kills it starts it again."""
    started_redis.flush()
    return started_redis
