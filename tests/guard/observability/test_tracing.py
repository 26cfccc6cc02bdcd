"""Spans as a collector gets them over HTTP: their names, their tree, and nothing of a prompt."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.types import Receive, Scope, Send

from guard.observability.tracing import open_tracer
from guard.settings import Tracing
from guard.terms.detector import Detector
from guard.terms.errors import ConfigError
from tests.fakes import DONE, FailingDetector, WordDetector, chat_chunk
from tests.guard.conftest import CHAT, Rig, RigMaker
from tests.servers import serving

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
BLOCK = ("block", WordDetector("attack"))
SECRET = "launch code"
USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":4,"completion_tokens":3}}\n\n'


@dataclass
class Collector:
    """Takes spans; `hold` makes it hang until the test ends."""

    bodies: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    hold: bool = False
    released: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.bodies.append(body)
        self.headers.append({k.decode(): v.decode() for k, v in scope["headers"]})
        if self.hold:
            await self.released.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    def spans(self) -> dict[str, Span]:
        """Every span by its name."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return {
            span.name: span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }


def attributes(span: Span) -> dict[str, Any]:
    """A span's attributes as plain values."""
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "")
        for pair in span.attributes
    }


def where(endpoint: str, **settings: Any) -> dict[str, Any]:
    return {"endpoint": f"{endpoint}/v1/traces", **settings}


@asynccontextmanager
async def traced(
    make_rig: RigMaker,
    collector: Collector,
    *rules: tuple[str, Detector],
    policies: list[dict[str, Any]] | None = None,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """A proxy that traces; afterwards the collector has all its spans."""
    sections = {"policies": policies} if policies else {}
    async with serving(collector) as url:
        tracing = where(url, **settings)
        async with make_rig(*(rules or (BLOCK,)), tracing=tracing, **sections) as rig:
            yield rig


async def test_a_requests_spans_and_their_tree(make_rig: RigMaker) -> None:
    collector = Collector()
    shadowed: list[dict[str, Any]] = [
        {"name": "stop", "detector": "d0", "action": "block"},
        {"name": "broken", "detector": "d1", "action": "block", "shadow": True},
    ]
    rules = (BLOCK, ("block", FailingDetector()))
    async with traced(make_rig, collector, *rules, policies=shadowed) as rig:
        await rig.chat(f"tell me the {SECRET}", temperature=0.5, max_tokens=9)

    spans = collector.spans()
    root, screening = spans[f"POST {CHAT}"], spans["screening"]
    model, policy = spans["chat demo"], spans["policy stop"]
    names = {"screening", "chat demo", "policy stop", "shadow screening", "policy broken"}
    assert spans.keys() == {root.name, *names}
    shadow = spans["shadow screening"]
    assert {shadow.parent_span_id} == {root.span_id}
    assert attributes(shadow)["ecoguard.side"] == attributes(screening)["ecoguard.side"] == "prompt"
    assert root.parent_span_id == b""
    assert {screening.parent_span_id, model.parent_span_id} == {root.span_id}
    assert policy.parent_span_id == screening.span_id
    assert root.kind == Span.SPAN_KIND_SERVER
    assert model.kind == Span.SPAN_KIND_CLIENT
    assert screening.start_time_unix_nano <= policy.start_time_unix_nano
    assert policy.end_time_unix_nano <= screening.end_time_unix_nano <= root.end_time_unix_nano
    assert attributes(model) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "vllm",
        "gen_ai.request.model": "demo",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.max_tokens": 9,
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 2,
        "http.response.status_code": 200,
    }
    assert attributes(policy)["ecoguard.score"] == 0.0
    assert attributes(spans["policy broken"])["ecoguard.failure"] == "failed"
    assert spans["policy broken"].parent_span_id == shadow.span_id
    assert spans["policy broken"].status.code == 2
    assert attributes(root)["ecoguard.action"] == "allow"
    sent = rig.vllm.headers[-1]["traceparent"].split("-")
    assert sent[1:3] == [model.trace_id.hex(), model.span_id.hex()]
    assert SECRET.encode() not in b"".join(collector.bodies)


async def test_a_blocked_request_never_asks_the_model(make_rig: RigMaker) -> None:
    collector = Collector()
    async with traced(make_rig, collector) as rig:
        await rig.client.post(CHAT, json={"model": "demo", "messages": SECRET})
        await rig.chat(f"an attack with the {SECRET}")
    spans = collector.spans()
    assert "chat demo" not in spans
    assert attributes(spans["screening"])["ecoguard.action"] == "block"
    assert SECRET.encode() not in b"".join(collector.bodies)


async def test_streams_end_with_their_usage(make_rig: RigMaker) -> None:
    collector = Collector()
    async with serving(collector) as url, make_rig(BLOCK, tracing=where(url)) as rig:
        rig.vllm.script = [chat_chunk("Hi"), USAGE, DONE]
        await rig.chat("hello", stream=True)
    assert attributes(collector.spans()["chat demo"])["gen_ai.usage.output_tokens"] == 3


async def test_a_lost_model_server_is_an_error_without_words(make_rig: RigMaker) -> None:
    collector = Collector()
    async with serving(collector) as url, make_rig(BLOCK, tracing=where(url)) as rig:
        rig.vllm.script = ["die"]
        await rig.chat("hello", stream=True)
    spans = collector.spans()
    assert not [span.status.message for span in spans.values() if span.status.message]
    assert not [event for span in spans.values() for event in span.events]


@pytest.mark.parametrize("accepted", [True, False])
async def test_a_clients_trace_goes_on_where_the_operator_says_so(
    make_rig: RigMaker, accepted: bool
) -> None:
    collector = Collector()
    async with traced(make_rig, collector, accept_parent=accepted) as rig:
        messages = [{"role": "user", "content": "hello"}]
        body = {"model": "demo", "messages": messages}
        await rig.client.post(CHAT, json=body, headers={"traceparent": PARENT})
    root = collector.spans()[f"POST {CHAT}"]
    assert (root.trace_id.hex() == PARENT[3:35]) == accepted
    assert (root.parent_span_id.hex() == PARENT[36:52]) == accepted
    sent = rig.vllm.headers[-1]["traceparent"]
    assert sent[3:35] == root.trace_id.hex()
    assert sent != PARENT


async def test_what_is_not_sampled_has_no_spans_and_the_model_server_is_told(
    make_rig: RigMaker,
) -> None:
    collector = Collector()
    async with traced(make_rig, collector, sample_ratio=0) as rig:
        await rig.chat("hello")
    assert collector.bodies == []
    flags = rig.vllm.headers[-1]["traceparent"].rpartition("-")[2]
    assert int(flags, 16) & 1 == 0  # the flag "sampled"


async def test_a_collector_that_hangs_or_is_not_there_delays_nobody(make_rig: RigMaker) -> None:
    collector = Collector(hold=True)
    async with serving(collector) as url:
        for endpoint in (url, "http://127.0.0.1:9"):
            async with make_rig(BLOCK, tracing=where(endpoint, timeout_s=0.2)) as rig:
                answers = [await rig.chat("hello") for _ in range(20)]
                assert {answer.status_code for answer in answers} == {200}
                assert max(answer.elapsed.total_seconds() for answer in answers) < 2
        collector.released.set()


async def test_headers_come_from_the_environment(
    make_rig: RigMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTLP_HEADERS", "Authorization=Bearer x=y, x-team=safety")
    collector = Collector()
    async with traced(make_rig, collector, headers_env="OTLP_HEADERS") as rig:
        await rig.chat("hello")
    assert collector.headers[0]["authorization"] == "Bearer x=y"
    assert collector.headers[0]["x-team"] == "safety"


def test_headers_that_are_none_stop_the_start() -> None:
    settings = Tracing(endpoint="http://127.0.0.1:9/v1/traces", headers_env="OTLP_HEADERS")
    with pytest.raises(ConfigError, match="OTLP_HEADERS"):
        open_tracer(settings, {})
    with pytest.raises(ConfigError, match="NAME=VALUE"):
        open_tracer(settings, {"OTLP_HEADERS": "Bearer x"})


def test_without_tracing_nothing_of_it_is_loaded() -> None:
    """FastAPI loads OpenTelemetry's interfaces where it finds them; no more than those."""
    code = """
import asyncio, sys
from guard.server.app import create_app
from guard.settings import Settings
app = create_app(Settings.model_validate({"upstream": {"url": "http://127.0.0.1:9"}}))
async def run():
    async with app.router.lifespan_context(app):
        pass
asyncio.run(run())
print(*sorted({"opentelemetry.sdk", "opentelemetry.exporter", "requests"} & sys.modules.keys()))
"""
    environment = os.environ | {"FASTAPI_OTEL_AUTO_CONFIGURE": "true"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


async def test_without_tracing_a_clients_trace_passes_as_it_is(make_rig: RigMaker) -> None:
    async with make_rig(BLOCK) as rig:
        body = {"model": "demo", "messages": [{"role": "user", "content": "hello"}]}
        answer: httpx2.Response = await rig.client.post(
            CHAT, json=body, headers={"traceparent": PARENT}
        )
    assert answer.status_code == 200
    assert rig.vllm.headers[-1]["traceparent"] == PARENT
