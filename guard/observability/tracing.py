"""OpenTelemetry: spans of requests, by the gen_ai conventions, exported from a thread of its own.

Ids, names, numbers and actions; no text of a prompt or an answer, and no error's message. What the
collector does not take is dropped: no request waits for it.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from time import time_ns
from typing import TYPE_CHECKING, Any

from guard.observability.trace import Asked
from guard.settings import Tracing, require_extra, secret
from guard.terms.entry import Entry
from guard.terms.errors import ConfigError, about
from guard.terms.item import Side
from guard.terms.verdict import Finding, Verdict

if TYPE_CHECKING:  # loaded only where `tracing` is configured
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span

logger = logging.getLogger(__name__)

OPERATIONS = {
    "/v1/chat/completions": "chat",
    "/v1/completions": "text_completion",
    "/v1/embeddings": "embeddings",
}
# Request fields that are numbers, and their names in the conventions.
NUMBERS = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "n": "gen_ai.request.choice.count",
    "seed": "gen_ai.request.seed",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
}
MOST_NAME_CHARACTERS = 200
MOST_WAITING_SPANS = 8192


class Tracer:
    """Makes the spans of requests, and hands them to `exporter` in the background."""

    def __init__(self, settings: Tracing, exporter: "SpanExporter") -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        self._accepts_parent = settings.accept_parent
        self._timeout_s = settings.timeout_s
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
            resource=Resource.create({"service.name": "ecoguard"}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(exporter, max_queue_size=MOST_WAITING_SPANS)
        )
        self._tracer = self._provider.get_tracer("ecoguard")

    def request(self, route: str, traceparent: str | None) -> "RequestTrace":
        """The spans of a request that has just come in."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        context = Context()
        if self._accepts_parent and traceparent:
            carrier = {"traceparent": traceparent}
            context = TraceContextTextMapPropagator().extract(carrier, context)
        attributes = {"http.request.method": "POST", "http.route": route}
        root = self._tracer.start_span(f"POST {route}", context, SpanKind.SERVER, attributes)
        return RequestTrace(self._tracer, root)

    def close(self) -> None:
        """Export what waits, for at most `tracing.timeout_s`; blocking."""
        ending = Thread(target=self._provider.shutdown, name="tracing-end", daemon=True)
        ending.start()
        ending.join(self._timeout_s)
        if ending.is_alive():
            logger.warning("tracing: the collector did not take the last spans")


class RequestTrace:
    """The spans of one request: itself, screening with its policies, the model server's answer."""

    def __init__(self, tracer: Any, root: "Span") -> None:
        from opentelemetry.trace import set_span_in_context

        self._tracer = tracer
        self._root = root
        self._context = set_span_in_context(root)
        self._records = root.is_recording()

    @property
    def id(self) -> str | None:
        """The trace's id, where it is sampled."""
        return f"{self._root.get_span_context().trace_id:032x}" if self._records else None

    def screened(self, began_ns: int, side: Side, verdict: Verdict) -> None:
        """A span of the screening, and in it one of each policy; the policies in shadow have a
        span of their own where they come later."""
        if not self._records:
            return
        from opentelemetry.trace import set_span_in_context

        ended_ns = time_ns()
        findings = (*verdict.findings, *verdict.passed)
        in_shadow = bool(findings) and all(finding.shadow for finding in findings)
        name = "shadow screening" if in_shadow else "screening"
        whole = self._tracer.start_span(name, self._context, start_time=began_ns)
        whole.set_attributes({"ecoguard.side": side, "ecoguard.action": verdict.label})
        context = set_span_in_context(whole)
        for finding in findings:
            span = self._tracer.start_span(
                f"policy {finding.policy}",
                context,
                attributes=_judgement(finding),
                start_time=finding.began_ns or began_ns,
            )
            if finding.failed:
                span.set_status(_error())
            span.end(finding.ended_ns or ended_ns)
        whole.end(ended_ns)

    @contextmanager
    def asking(self, path: str, body: Mapping[str, object], entry: Entry) -> Iterator[Asked]:
        """A span of the model server's answer, from sending until it was relayed."""
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        operation = OPERATIONS.get(path, path)
        model = entry.model[:MOST_NAME_CHARACTERS]
        span = self._tracer.start_span(f"{operation} {model}", self._context, SpanKind.CLIENT)
        carrier: dict[str, str] = {}
        TraceContextTextMapPropagator().inject(carrier, set_span_in_context(span))
        asked = Asked(carrier)
        if self._records:
            span.set_attributes(_request(operation, model, body))
        try:
            yield asked
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(_error())
            raise
        finally:
            if self._records:
                span.set_attributes(_answer(asked, entry))
            span.end()

    def end(self, request_id: str, status: int, action: str, entry: Entry | None) -> None:
        """The request's own span is complete."""
        if self._records:
            self._root.set_attributes(
                {
                    "http.response.status_code": status,
                    "ecoguard.request_id": request_id,
                    "ecoguard.action": action,
                    "ecoguard.key": entry.key if entry else "",
                }
            )
            if status >= 500:
                self._root.set_status(_error())
        self._root.end()


def open_tracer(settings: Tracing, environment: Mapping[str, str] | None = None) -> Tracer:
    """A tracer that exports to the configured collector; ConfigError for what is missing."""
    with about("tracing"):
        require_extra("trace")
    import requests
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    session = requests.Session()
    session.trust_env = False  # no proxy of the environment's, as towards the model server
    exporter = OTLPSpanExporter(
        endpoint=settings.endpoint,
        headers=_headers(settings, environment),
        timeout=settings.timeout_s,
        session=session,
    )
    return Tracer(settings, exporter)


def _headers(settings: Tracing, environment: Mapping[str, str] | None) -> dict[str, str]:
    """Headers from their variable: NAME=VALUE, with commas between them."""
    if settings.headers_env is None:
        return {}
    with about("tracing", "headers_env"):
        value = secret(settings.headers_env, environment)
        pairs = [part.partition("=") for part in value.split(",")]
        if not all(name.strip() and equals for name, equals, _ in pairs):
            raise ConfigError(f"{settings.headers_env}: NAME=VALUE, with commas between them")
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _judgement(finding: Finding) -> dict[str, str | float | bool]:
    attributes: dict[str, str | float | bool] = {
        "ecoguard.policy": finding.policy,
        "ecoguard.detector": finding.detector,
        "ecoguard.action": finding.action.label,
        "ecoguard.threshold": finding.threshold,
        "ecoguard.shadow": finding.shadow,
        "ecoguard.failed": finding.failed,
    }
    if finding.failure is not None:
        attributes["ecoguard.failure"] = finding.failure
    if finding.unread:
        attributes["ecoguard.unread_tokens"] = finding.unread
    if finding.score is not None:
        attributes["ecoguard.score"] = finding.score
    return attributes


def _request(
    operation: str, model: str, body: Mapping[str, object]
) -> dict[str, str | float | bool]:
    attributes: dict[str, str | float | bool] = {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "vllm",
        "gen_ai.request.model": model,
    }
    for name, key in NUMBERS.items():
        value = body.get(name)
        if isinstance(value, int | float):
            attributes[key] = value
    return attributes


def _answer(asked: Asked, entry: Entry) -> dict[str, int]:
    found = {
        "http.response.status_code": asked.status,
        "gen_ai.usage.input_tokens": entry.prompt_tokens,
        "gen_ai.usage.output_tokens": entry.completion_tokens,
    }
    return {name: value for name, value in found.items() if value is not None}


def _error() -> Any:
    """The status of a span that went wrong, without words."""
    from opentelemetry.trace import Status, StatusCode

    return Status(StatusCode.ERROR)
