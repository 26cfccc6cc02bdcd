"""The series about texts that the guard knows."""

from prometheus_client import CollectorRegistry

from guard.observability.series import FoundCounter


class RecognitionSeries:
    """What was looked for among known texts, and what was found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._texts = FoundCounter(
            "ecoguard_recognised_texts_total",
            "Texts of requests that were looked for among known ones: answers, pinned prompts.",
            ("kind", "result"),
            registry=registry,
        )

        self._shared = FoundCounter(
            "ecoguard_shared_memory_total",
            "Hashes that Redis was asked for, because this process did not know them.",
            ("kind", "result"),
            registry=registry,
        )
        self._failures = FoundCounter(
            "ecoguard_shared_memory_failures_total",
            "Times that Redis did not take part, so that this process knew its own texts only.",
            ("operation",),
            registry=registry,
        )

    def asked(self, kind: str, hits: int, misses: int) -> None:
        """Count hashes that Redis was asked for."""
        _add(self._shared, kind, hit=hits, miss=misses)

    def failed(self, operation: str) -> None:
        """Count a `read` or a `write` that failed."""
        self._failures.labels(operation).inc()

    def looked(self, kind: str, known: int, unknown: int) -> None:
        """Count texts of one kind that were found, and others that were not."""
        _add(self._texts, kind, known=known, unknown=unknown)


def _add(counter: FoundCounter, kind: str, **results: int) -> None:
    for result, count in results.items():
        if count:
            counter.labels(kind, result).inc(count)
