"""Series that are found again: the same ones as the library finds."""

import pytest
from prometheus_client import CollectorRegistry

from guard.observability.series import FoundCounter, FoundHistogram


def test_a_series_is_the_library_s_own_however_it_is_asked_for() -> None:
    registry = CollectorRegistry()
    counter = FoundCounter("answers_total", "Answers.", ("route", "status"), registry=registry)
    counter.labels("/a", "2xx").inc()
    counter.labels("/a", "2xx").inc()
    counter.labels(route="/a", status="2xx").inc()
    counter.labels("/b", "2xx").inc(5)
    labels = {"route": "/a", "status": "2xx"}
    assert registry.get_sample_value("answers_total", labels) == 3
    assert registry.get_sample_value("answers_total", {**labels, "route": "/b"}) == 5
    assert counter.labels("/a", "2xx") is counter.labels(status="2xx", route="/a")


def test_a_histogram_keeps_its_buckets() -> None:
    registry = CollectorRegistry()
    times = FoundHistogram("s", "Seconds.", ("route",), buckets=(1, 2), registry=registry)
    for seconds in (0.5, 1.5, 9):
        times.labels("/a").observe(seconds)
    found = [
        registry.get_sample_value("s_bucket", {"route": "/a", "le": limit})
        for limit in ("1.0", "2.0", "+Inf")
    ]
    assert found == [1, 2, 3]


def test_a_metric_without_labels_counts_and_wrong_labels_are_refused() -> None:
    registry = CollectorRegistry()
    plain = FoundCounter("all_total", "All.", registry=registry)
    plain.inc()
    assert registry.get_sample_value("all_total") == 1
    counter = FoundCounter("some_total", "Some.", ("kind",), registry=registry)
    with pytest.raises(ValueError, match="Incorrect label count"):
        counter.labels("a", "b")
