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

    def looked(self, kind: str, known: int, unknown: int) -> None:
        """Count texts of one kind that were found, and others that were not."""
        for result, count in (("known", known), ("unknown", unknown)):
            if count:
                self._texts.labels(kind, result).inc(count)
