"""The series about forget requests in service."""

from guard.observability.metrics import Metrics


def test_a_look_is_counted() -> None:
    metrics = Metrics()
    for served, broken in ((3, 0), (2, 1)):
        metrics.requests_served.looked("people", served, broken)
    text = metrics.text().decode()
    assert 'ecoguard_forget_requests{detector="people"} 2.0' in text
    assert 'ecoguard_forget_requests_broken{detector="people"} 1.0' in text
    assert 'ecoguard_forget_request_failures_total{detector="people"} 1.0' in text
