"""A protocol's guarded route over a scripted vLLM, both real servers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import Receive, Scope, Send

from guard.gateway.loading import Resources
from guard.gateway.service import Current, Service
from guard.observability.metrics import Metrics
from guard.screening.policy import Policy
from guard.server.app import answering
from guard.server.endpoint import JsonEndpoint
from guard.settings import Settings
from guard.wire.protocol import WireProtocol
from tests.fakes import FakeVLLM, WordDetector
from tests.servers import serving


@asynccontextmanager
async def guarded(
    vllm: FakeVLLM, *protocols: WireProtocol, refusal: str = "message"
) -> AsyncIterator[str]:
    """Serves the protocols; prompts that hold "attack" are blocked. Yields the base URL."""
    async with serving(vllm) as upstream_url:
        policy = {"name": "word", "detector": "word", "action": "block"}
        settings = Settings.model_validate(
            {
                "upstream": {"url": upstream_url, "send_early": False},
                "detectors": {"word": {"kind": "phrases", "phrases": ["attack"]}},
                "policies": [policy],
                "refusal": {"form": refusal, "text": "No."},
            }
        )
        metrics = Metrics()
        policies = (Policy.build(settings.policies[0], WordDetector("attack")),)
        current = Current(Service(settings, Resources(policies, None, None, {}, None), metrics))
        routes = {
            protocol.route: JsonEndpoint(protocol, answering(protocol), current, metrics)
            for protocol in protocols
        }

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                await send({"type": "lifespan.shutdown.complete"})
            else:
                await routes[scope["path"]](scope, receive, send)

        try:
            async with serving(app) as url:
                yield url
        finally:
            await current.close()
