"""The series about forget requests in service."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class RequestsServed:
    """What a look through a folder of forget requests found, by detector."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.in_service = Gauge(
            "ecoguard_forget_requests",
            "Forget requests in service, by detector.",
            ("detector",),
            registry=registry,
            multiprocess_mode="livemin",
        )
        self.broken = Gauge(
            "ecoguard_forget_requests_broken",
            "Request folders that cannot be read: the old artifact, if any, is in service.",
            ("detector",),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.failures = Counter(
            "ecoguard_forget_request_failures_total",
            "Looks at a folder of requests that found some of them broken.",
            ("detector",),
            registry=registry,
        )

    def looked(self, detector: str, served: int, broken: int) -> None:
        """Note one look."""
        self.in_service.labels(detector).set(served)
        self.broken.labels(detector).set(broken)
        self.failures.labels(detector).inc(1 if broken else 0)
