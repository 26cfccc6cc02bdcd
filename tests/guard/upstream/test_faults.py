"""What is wrong with a server: each cause counted, told once a minute, and told to be over."""

import logging

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey

from guard.observability.metrics import Metrics
from guard.upstream.faults import CAUSES, QUIET_S, Faults, cause_of_error, cause_of_status
from tests.fakes import Clock

KEY = ConnectionKey("h", 1, True, True, None, None, None)
LOGGER = "guard.upstream.faults"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (TimeoutError(), "late"),
        (aiohttp.ConnectionTimeoutError(), "late"),
        (aiohttp.ServerDisconnectedError(), "lost"),
        (aiohttp.ClientPayloadError(), "lost"),
        (ConnectionResetError(), "lost"),
        (aiohttp.ClientConnectorError(KEY, OSError()), "unreachable"),
        (aiohttp.ClientConnectorCertificateError(KEY, ValueError()), "untrusted"),
        (aiohttp.ClientConnectorSSLError(KEY, OSError()), "untrusted"),
    ],
)
def test_an_error_has_its_cause(error: Exception, cause: str) -> None:
    assert cause_of_error(error) == cause
    assert cause in CAUSES


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        *((200, None), (400, None), (404, None), (429, None)),
        *((401, "key_refused"), (403, "key_refused"), (302, "redirected")),
        *((500, "failed"), (502, "unhealthy"), (503, "unhealthy"), (504, "unhealthy")),
    ],
)
def test_a_status_has_its_cause_where_it_is_the_servers_own(status: int, cause: str | None) -> None:
    assert cause_of_status(status) == cause


def test_all_faults_are_counted_and_one_a_minute_is_told(caplog: pytest.LogCaptureFixture) -> None:
    metrics, clock = Metrics(), Clock()
    faults = Faults("vllm:8000", metrics, clock)
    with caplog.at_level(logging.INFO, LOGGER):
        for _ in range(3):
            faults.note("key_refused")
        faults.note("no_model", "demo")
        clock.now = QUIET_S
        faults.note("key_refused")

    assert metrics.upstream_faults.labels("vllm:8000", "key_refused")._value.get() == 4
    advice = CAUSES["key_refused"].advice
    assert [record.getMessage() for record in caplog.records] == [
        f"model server vllm:8000 refused EcoGuard's key; {advice}",
        "model server vllm:8000 does not serve a configured model: demo; "
        + CAUSES["no_model"].advice,
        f"model server vllm:8000 refused EcoGuard's key (2 times more since); {advice}",
    ]


def test_what_is_over_is_told_once_and_may_begin_again(caplog: pytest.LogCaptureFixture) -> None:
    faults = Faults("vllm:8000", Metrics(), Clock())
    with caplog.at_level(logging.INFO, LOGGER):
        faults.over()
        faults.note("unreachable")
        faults.over()
        faults.over()
        faults.note("unreachable")

    lines = [record.getMessage().partition(";")[0] for record in caplog.records]
    away = "model server vllm:8000 cannot be reached"
    assert lines == [away, "model server vllm:8000 is well again", away]


def test_a_good_check_says_nothing_of_what_only_requests_show(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults = Faults("vllm:8000", Metrics(), Clock())
    with caplog.at_level(logging.INFO, LOGGER):
        for _ in range(3):
            faults.note("unreadable")
            faults.over()

    assert len(caplog.records) == 1


def test_every_cause_says_what_to_do() -> None:
    for cause in CAUSES.values():
        assert cause.said
        assert cause.advice
