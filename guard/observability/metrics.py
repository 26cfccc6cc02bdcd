"""Every series the proxy exports, in one class. Labels come from closed sets; never prompt text."""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from guard.observability.answer_series import AnswerSeries
from guard.observability.recognition_series import RecognitionSeries
from guard.observability.requests_served import RequestsServed
from guard.observability.series import FoundCounter, FoundHistogram
from guard.observability.shared_metrics import InService, exposition
from guard.observability.verdict_series import VerdictSeries
from guard.terms.item import Side
from guard.terms.verdict import Verdict

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The proxy's metrics over a registry of its own, so that apps can live side by side."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._in_service = InService(self.registry)
        self._open_requests()
        self._open_limits()
        self._open_upstream()
        self._open_screening()
        self.answers = AnswerSeries(self.registry)
        self.requests_served = RequestsServed(self.registry)
        self.recognition = RecognitionSeries(self.registry)
        self._open_store()
        self._open_configuration()

    def _open_requests(self) -> None:
        self.requests = FoundCounter(
            "ecoguard_requests_total",
            "Requests answered, by route, action taken and status class.",
            ("route", "action", "status"),
            registry=self.registry,
        )
        self.first_byte_seconds = FoundHistogram(
            "ecoguard_first_byte_seconds",
            "Time from the end of the request body to the first byte of the answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.answer_seconds = FoundHistogram(
            "ecoguard_answer_seconds",
            "Time from the end of the request body to the last byte of the answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.bypassed = Counter(
            "ecoguard_bypassed_requests_total",
            "Requests sent upstream with something unscreened that the operator lets through.",
            ("reason",),
            registry=self.registry,
        )
        _begin(self.bypassed, "detector_failed", "media")
        self.dropped_fields = FoundCounter(
            "ecoguard_dropped_fields_total",
            "Requests with a field that no table names, which was dropped, by its name if known.",
            ("field",),
            registry=self.registry,
        )
        self.control_tokens = Counter(
            "ecoguard_control_tokens_requests_total",
            "Requests with special tokens of the model in their texts, by what became of them.",
            ("action",),
            registry=self.registry,
        )
        _begin(self.control_tokens, "neutralised", "refused", "allowed")
        self.corrupted_tokens = Counter(
            "ecoguard_corrupted_tokens_total",
            "Prompt tokens sent as corrupted embeddings.",
            registry=self.registry,
        )
        self.disconnects = Counter(
            "ecoguard_client_disconnects_total",
            "Requests whose client left before the answer was complete.",
            ("route",),
            registry=self.registry,
        )

    def _open_limits(self) -> None:
        self.rate_limited = Counter(
            "ecoguard_rate_limited_total",
            "Requests refused because their API key met a limit.",
            ("limit",),
            registry=self.registry,
        )
        self.shared_limits_failures = Counter(
            "ecoguard_shared_limits_failures_total",
            "Times that Redis did not answer, so that limits were counted by each process.",
            registry=self.registry,
        )
        self.shared_limits_up = Gauge(
            "ecoguard_shared_limits_up",
            "Whether Redis answered when it was last asked (0 too where none is configured).",
            registry=self.registry,
            multiprocess_mode="livemin",
        )
        self.in_flight = Gauge(
            "ecoguard_in_flight_requests",
            "Requests being answered now.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def _open_upstream(self) -> None:
        self.upstream_failures = Counter(
            "ecoguard_upstream_failures_total",
            "Upstream requests that failed, by stage.",
            ("stage",),
            registry=self.registry,
        )
        _begin(self.upstream_failures, "connect", "status", "body", "stream")
        self.upstream_faults = Counter(
            "ecoguard_upstream_faults_total",
            "What was wrong with a server, by cause, in requests and in health checks.",
            ("upstream", "cause"),
            registry=self.registry,
        )
        self.upstream_seconds = FoundHistogram(
            "ecoguard_upstream_seconds",
            "Time from sending a request upstream to the status of its answer, by upstream route.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.upstream_cancelled = Counter(
            "ecoguard_upstream_cancelled_total",
            "Requests sent before their verdict, and cancelled by it.",
            registry=self.registry,
        )
        self.shortened = Counter(
            "ecoguard_shortened_total",
            "Requests that went on without an earlier turn that was blocked.",
            registry=self.registry,
        )
        self.upstream_retries = Counter(
            "ecoguard_upstream_retries_total",
            "Requests sent again, before anything was told to the client.",
            registry=self.registry,
        )
        self.upstream_breaks = Counter(
            "ecoguard_upstream_breaks_total",
            "Times that a server was left alone after failures in a row.",
            ("upstream",),
            registry=self.registry,
        )
        self.upstream_up = Gauge(
            "ecoguard_upstream_up",
            "Whether the server's last health check was good.",
            ("upstream",),
            registry=self.registry,
            multiprocess_mode="livemin",
        )
        self.upstream_in_flight = Gauge(
            "ecoguard_upstream_in_flight_requests",
            "Requests that a server is answering now.",
            ("upstream",),
            registry=self.registry,
            multiprocess_mode="livesum",
        )

    def _open_screening(self) -> None:
        self._verdicts = VerdictSeries(self.registry)
        self.screening_seconds = FoundHistogram(
            "ecoguard_screening_seconds",
            "Time from a parsed request to its verdict, without policies in shadow, by side.",
            ("side",),
            buckets=SECONDS,
            registry=self.registry,
        )

        self.detector_failures = FoundCounter(
            "ecoguard_detector_failures_total",
            "Requests that a detector behind a server could not judge, by detector and cause.",
            ("detector", "cause"),
            registry=self.registry,
        )
        self.screened_tokens = Counter(
            "ecoguard_screened_tokens_total",
            "About how many tokens detectors have read, what nobody waited for any more included.",
            registry=self.registry,
        )
        self.screening_cache = FoundCounter(
            "ecoguard_screening_cache_total",
            "Looks into the cache of scores, for whole requests and for single texts.",
            ("kind", "result"),
            registry=self.registry,
        )

    def _open_store(self) -> None:
        self.store_written = Counter(
            "ecoguard_store_written_total",
            "Records written to the traffic store.",
            ("kind",),
            registry=self.registry,
        )
        self.store_dropped = Counter(
            "ecoguard_store_dropped_total",
            "Records that the traffic store never got, by reason.",
            ("kind", "reason"),
            registry=self.registry,
        )
        self.store_write_seconds = Histogram(
            "ecoguard_store_write_seconds",
            "Time to write one batch of records.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.store_queue_records = Gauge(
            "ecoguard_store_queue_records",
            "Records that wait to be written.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.store_queue_bytes = Gauge(
            "ecoguard_store_queue_bytes",
            "Memory held by records that wait to be written.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        self.store_up = Gauge(
            "ecoguard_store_up",
            "Whether the traffic store took the last batch (0 too where none is configured).",
            registry=self.registry,
            multiprocess_mode="livemin",
        )

    def _open_configuration(self) -> None:
        self.reloads = Counter(
            "ecoguard_reloads_total",
            "Reloads of the configuration, by result; a failed one changes nothing.",
            ("result",),
            registry=self.registry,
        )
        _begin(self.reloads, "ok", "failed")
        self.configured = Gauge(
            "ecoguard_configured_timestamp_seconds",
            "When the configuration in service was loaded.",
            registry=self.registry,
            multiprocess_mode="livemin",
        )
        self.configured.set_to_current_time()

    def in_service(self, version: str, artifacts: Mapping[str, str]) -> None:
        """Say what runs: the version, and the digest of each detector's artifact."""
        self._in_service.show(version, artifacts)

    def screened(self, verdict: Verdict, side: Side, seconds: float) -> None:
        """Count the verdict of the policies that act on one side of a request."""
        self.screening_seconds.labels(side).observe(seconds)
        self._verdicts.count(verdict)

    def shadowed(self, verdict: Verdict, side: Side) -> None:
        """Count what policies in shadow say, once `verdict` holds all policies' findings."""
        self._verdicts.count_shadows(verdict, side)

    def remembered(self, kind: str, hits: int, misses: int) -> None:
        """Count looks into the cache of scores; `kind` is `request`, `text` or `part`."""
        for result, count in (("hit", hits), ("miss", misses)):
            if count:
                self.screening_cache.labels(kind, result).inc(count)

    def answered(self, route: str, action: str, status: int) -> None:
        """Count one answered request."""
        self.requests.labels(route, action, f"{status // 100}xx").inc()

    def text(self) -> bytes:
        """The exposition in Prometheus' text format: of all workers, where there are several."""
        return exposition(self.registry)


def _begin(counter: Counter, *labels: str) -> None:
    """Export a counter's series from 0: Prometheus sees no increase where one begins at 1."""
    for label in labels:
        counter.labels(label)
