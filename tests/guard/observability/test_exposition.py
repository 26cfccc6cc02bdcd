"""What a proxy tells Prometheus is read back."""

from guard.observability.exposition import read_series
from guard.observability.metrics import Metrics


def test_what_was_written_is_read() -> None:
    metrics = Metrics()
    metrics.in_service("1.2", {"words": "ab" * 32})
    metrics.in_flight.set(3)
    series = read_series(metrics.text().decode())
    assert series["ecoguard_build_info"] == [({"version": "1.2"}, 1)]
    assert series["ecoguard_artifact_info"] == [({"detector": "words", "digest": "ab" * 6}, 1)]
    assert series["ecoguard_in_flight_requests"] == [({}, 3)]


def test_what_is_not_there_is_empty() -> None:
    assert read_series("")["ecoguard_nothing"] == []
