"""The circuit breaker, on a clock of its own."""

import pytest

from guard.upstream.breaker import Breaker
from tests.fakes import Clock


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(failures=3, open_s=10, clock=clock)


def fail(breaker: Breaker, times: int) -> list[bool]:
    opened = []
    for _ in range(times):
        breaker.begin()
        opened.append(breaker.failed())
    return opened


def test_failures_in_a_row_open_it(breaker: Breaker) -> None:
    assert fail(breaker, 3) == [False, False, True]
    assert not breaker.admits
    assert breaker.remaining_s == 10


def test_a_whole_answer_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)

    assert breaker.admits


def test_a_status_alone_does_not(breaker: Breaker) -> None:
    """A server that always dies in mid-stream is ill."""
    for _ in range(3):
        breaker.begin()
        breaker.answered()
        breaker.failed()

    assert not breaker.admits


def test_after_a_while_one_request_tries(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 10

    assert breaker.admits
    breaker.begin()
    assert not breaker.admits


def test_an_answered_trial_closes_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 10
    breaker.begin()
    breaker.answered()

    assert breaker.admits
    assert breaker.is_closed


def test_a_failed_trial_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 10

    assert fail(breaker, 1) == [True]
    assert (breaker.admits, breaker.remaining_s) == (False, 10)


def test_a_trial_whose_client_left_tells_nothing(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now = 10
    breaker.begin()
    breaker.abandoned()

    assert breaker.admits
    assert not breaker.is_closed
