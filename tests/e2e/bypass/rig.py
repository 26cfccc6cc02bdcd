"""Proxies under attack: real servers in a thread of their own, a recorder in front of vLLM."""

import asyncio
import hashlib
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx2
import orjson
from starlette.types import ASGIApp

from guard.server.app import create_app
from guard.settings import Settings
from tests.e2e.bypass.canary import PHRASE, Tracer
from tests.e2e.bypass.recorder import Recorded, Recorder
from tests.e2e.bypass.vectors.vector import CHAT, chat
from tests.servers import serving

ALICE, BOB = "alice-secret", "bob-secret"


class Background:
    """An event loop in a thread, in which applications are served until it is left."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="servers")
        self._stack = AsyncExitStack()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stack.aclose(), self._loop).result(60)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def serve(self, app: ASGIApp) -> str:
        """Serve an application; returns its base URL."""
        entered = self._stack.enter_async_context(serving(app))
        return asyncio.run_coroutine_threadsafe(entered, self._loop).result(60)


@dataclass(frozen=True)
class Proxy:
    """One running proxy, and the recorder that sees what it sends upstream."""

    client: httpx2.Client
    recorder: Recorder
    tracer: Tracer

    @property
    def address(self) -> tuple[str, int]:
        """Host and port, for raw sockets."""
        url = self.client.base_url
        assert url.port is not None
        return url.host, url.port

    def post(
        self,
        route: str,
        body: Any,
        headers: Mapping[str, str] | None = None,
        key: str = ALICE,
    ) -> httpx2.Response:
        """Post a body, given as JSON or as the very bytes."""
        content = body if isinstance(body, bytes) else orjson.dumps(self.tracer.resolve(body))
        sent = {"content-type": "application/json", "authorization": f"Bearer {key}"}
        return self.client.post(route, content=content, headers={**sent, **(headers or {})})

    def sent_on(self) -> list[Recorded]:
        """What went to routes that feed the model since the last call of `forget`."""
        return self.recorder.generating

    def traces(self, marks: tuple[str, ...] = ()) -> list[str]:
        """The canary, or one of `marks`, in what went to routes that feed the model."""
        bodies = [request.body for request in self.recorder.generating]
        return [trace for body in bodies for trace in self.tracer.traces(body, marks)]

    def forget(self) -> None:
        """Start a new record."""
        self.recorder.requests.clear()

    def assert_serves(self) -> None:
        """A benign request is answered by the model."""
        answer = self.post(CHAT, chat())
        assert answer.status_code == 200, answer.text
        assert answer.json()["object"] == "chat.completion"


def settings_for(upstream: str, model: Path, action: str, **sections: Any) -> Settings:
    """A policy with `action` on the canary's phrase, everything enabled that can be attacked."""
    keys = [
        {"name": name, "sha256": hashlib.sha256(key.encode()).hexdigest(), "scopes": scopes}
        for name, key, scopes in (
            ("alice", ALICE, ["inference", "check"]),
            ("bob", BOB, ["inference"]),
        )
    ]
    return Settings.model_validate(
        {
            # No health checks of the proxy's own in the record: every request there has a client.
            # Nor anything that was sent before its verdict.
            "upstream": {"url": upstream, "health_s": 3600, "send_early": False},
            "models": {"demo": {"path": model}},
            "detectors": {"canary": {"kind": "phrases", "phrases": [PHRASE]}},
            "policies": [{"name": "canary", "detector": "canary", "action": action}],
            "check": {"enabled": True},
            "keys": keys,
            **sections,
        }
    )


class Rig:
    """Starts proxies in front of one vLLM."""

    def __init__(self, background: Background, upstream: str, model: Path) -> None:
        self._background = background
        self._model = model
        self.tracer = Tracer(model)
        self.recorder = Recorder(upstream)
        self._recorder_url = background.serve(self.recorder)

    def proxy(self, action: str, **sections: Any) -> Proxy:
        """A proxy whose policy has `action`; its client lives as long as the process."""
        settings = settings_for(self._recorder_url, self._model, action, **sections)
        url = self._background.serve(create_app(settings))
        client = httpx2.Client(base_url=url, timeout=60, trust_env=False)
        return Proxy(client, self.recorder, self.tracer)
