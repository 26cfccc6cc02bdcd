"""Token buckets: a table of what is admitted and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.limits.buckets import LocalLimits, Standing
from guard.settings import Rates
from tests.fakes import Clock


@pytest.fixture
def limits(clock: Clock) -> LocalLimits:
    return LocalLimits(clock)


def admitted(limits: LocalLimits, rates: Rates, times: int, cost: int = 0) -> list[bool]:
    return [limits.admit("k", rates, cost).refused is None for _ in range(times)]


def test_as_many_requests_as_a_minute_has(limits: LocalLimits, clock: Clock) -> None:
    rates = Rates(requests_per_minute=3)

    assert admitted(limits, rates, 5) == [True, True, True, False, False]
    clock.now += 20
    assert admitted(limits, rates, 2) == [True, False]
    clock.now += 3600
    assert admitted(limits, rates, 4) == [True, True, True, False]


def test_keys_do_not_share(limits: LocalLimits) -> None:
    rates = Rates(requests_per_minute=1)

    assert limits.admit("a", rates, 0).refused is None
    assert limits.admit("b", rates, 0).refused is None
    assert limits.admit("a", rates, 0).refused == "requests"


def test_what_an_answer_cost_beyond_the_estimate_is_a_debt(
    limits: LocalLimits, clock: Clock
) -> None:
    rates = Rates(tokens_per_minute=60)
    limits.admit("k", rates, 10)
    limits.settle("k", 80)

    assert limits.admit("k", rates, 1) == Standing("tokens", 0, -30, 0)
    clock.now += 30
    assert limits.admit("k", rates, 1).refused == "tokens"
    clock.now += 1
    assert limits.admit("k", rates, 1).refused is None


def test_what_was_not_used_is_given_back(limits: LocalLimits) -> None:
    rates = Rates(tokens_per_minute=100)
    limits.admit("k", rates, 90)
    limits.settle("k", -90)

    assert limits.admit("k", rates, 100).refused is None


def test_one_larger_than_a_minutes_allowance_passes_a_full_bucket(limits: LocalLimits) -> None:
    rates = Rates(tokens_per_minute=100)

    assert limits.admit("k", rates, 500).refused is None
    assert limits.admit("k", rates, 1).refused == "tokens"


def test_requests_under_way(limits: LocalLimits) -> None:
    rates = Rates(concurrent_requests=2)

    assert admitted(limits, rates, 3) == [True, True, False]
    limits.settle("k", 0)
    assert admitted(limits, rates, 2) == [True, False]


def test_a_lower_limit_holds_at_once(limits: LocalLimits) -> None:
    limits.admit("k", Rates(requests_per_minute=1000), 0)

    assert admitted(limits, Rates(requests_per_minute=1), 2) == [True, False]


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 20))
def test_no_minute_sees_more_than_two_allowances(pauses: list[float], limit: int) -> None:
    """The bound of a token bucket: what is full, and what fills in the meantime."""
    clock = Clock()
    limits, rates, times = LocalLimits(clock), Rates(requests_per_minute=limit), []
    for pause in pauses:
        clock.now += pause
        if limits.admit("k", rates, 0).refused is None:
            times.append(clock.now)

    for start in times:
        assert sum(start <= time < start + 60 for time in times) <= 2 * limit
