"""Every series the proxy exports, in one class. Labels come from closed sets; never prompt text."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from guard.screening.verdict import Finding

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
SCORES = tuple(step / 20 for step in range(1, 21))


class Metrics:
    """The proxy's metrics over a registry of its own, so that apps can live side by side."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.requests = Counter(
            "ecoguard_requests_total",
            "Requests answered, by route, action taken and status class.",
            ("route", "action", "status"),
            registry=self.registry,
        )
        self.findings = Counter(
            "ecoguard_findings_total",
            "Policies that fired or failed, by the action they asked for.",
            ("policy", "action", "failed"),
            registry=self.registry,
        )
        self.scores = Histogram(
            "ecoguard_score",
            "Highest score of each screened request, by policy.",
            ("policy",),
            buckets=SCORES,
            registry=self.registry,
        )
        self.screening_seconds = Histogram(
            "ecoguard_screening_seconds",
            "Time from a parsed request to its verdict.",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.first_byte_seconds = Histogram(
            "ecoguard_first_byte_seconds",
            "Time from the end of the request body to the first byte of the answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.corrupted_tokens = Counter(
            "ecoguard_corrupted_tokens_total",
            "Prompt tokens sent as corrupted embeddings.",
            registry=self.registry,
        )
        self.upstream_failures = Counter(
            "ecoguard_upstream_failures_total",
            "Upstream requests that failed, by stage.",
            ("stage",),
            registry=self.registry,
        )
        self.disconnects = Counter(
            "ecoguard_client_disconnects_total",
            "Requests whose client left before the answer was complete.",
            ("route",),
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "ecoguard_in_flight_requests",
            "Requests being answered now.",
            registry=self.registry,
        )

    def screened(self, findings: Iterable[Finding], seconds: float) -> None:
        """Count one screened request."""
        self.screening_seconds.observe(seconds)
        for finding in findings:
            if finding.score is not None:
                self.scores.labels(finding.policy).observe(finding.score)
            if finding.failed or finding.spans:
                failed = str(finding.failed).lower()
                self.findings.labels(finding.policy, finding.action.label, failed).inc()

    def answered(self, route: str, action: str, status: int) -> None:
        """Count one answered request."""
        self.requests.labels(route, action, f"{status // 100}xx").inc()

    def text(self) -> bytes:
        """The exposition in Prometheus' text format."""
        return generate_latest(self.registry)
