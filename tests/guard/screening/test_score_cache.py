"""The cache of scores: bounded, keyed, counted, shared between threads."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guard.observability.metrics import Metrics
from guard.screening.score_cache import ENTRY_BYTES, NUMBER_BYTES, ScoreCache

ONE = ENTRY_BYTES + NUMBER_BYTES


def cache(entries: int, metrics: Metrics | None = None) -> ScoreCache:
    return ScoreCache(entries * ONE, metrics or Metrics())


def place(cached: ScoreCache, name: str) -> bytes:
    return cached.digest((name,))


def test_what_was_kept_is_found() -> None:
    cached = cache(3)
    cached.keep({place(cached, "a"): (0.25,), place(cached, "b"): (0.5,)})

    assert cached.find([place(cached, n) for n in "bca"], "text") == [(0.5,), None, (0.25,)]


def test_the_least_recently_used_go_first() -> None:
    cached = cache(2)
    for name in "ab":
        cached.keep({place(cached, name): (1.0,)})
    cached.find([place(cached, "a")], "text")
    cached.keep({place(cached, "c"): (1.0,)})

    assert cached.find([place(cached, n) for n in "abc"], "text") == [(1.0,), None, (1.0,)]


def test_bytes_are_bounded_whatever_is_kept() -> None:
    cached = cache(4)
    for count in (1, 20, 1, 1, 3, 1):
        cached.keep({place(cached, str(count)): (0.0,) * count})
        assert len(cached) * ENTRY_BYTES <= 4 * ONE
    cached.keep({place(cached, "huge"): (0.0,) * 1000})
    assert len(cached) == 0


def test_keeping_again_replaces() -> None:
    cached = cache(2)
    for score in (0.1, 0.2, 0.3):
        cached.keep({place(cached, "a"): (score,)})
    assert len(cached) == 1
    assert cached.find([place(cached, "a")], "text") == [(0.3,)]


def test_every_process_has_a_key_of_its_own() -> None:
    assert place(cache(1), "a") != place(cache(1), "a")


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_two_lists_of_parts_have_one_place_only_if_they_are_equal(
    left: list[str], right: list[str]
) -> None:
    cached = cache(1)
    assert (cached.digest(left) == cached.digest(right)) == (left == right)


def test_lone_surrogates_have_a_place() -> None:
    assert len(cache(1).digest(("\ud800",))) == 16


@pytest.mark.parametrize(("result", "count"), [("hit", 1), ("miss", 2)])
def test_looks_are_counted(result: str, count: int) -> None:
    metrics = Metrics()
    cached = cache(2, metrics)
    cached.keep({place(cached, "a"): (1.0,)})
    cached.find([place(cached, n) for n in "abc"], "text")

    labels = {"kind": "text", "result": result}
    assert metrics.registry.get_sample_value("ecoguard_screening_cache_total", labels) == count


def test_threads_may_share_it() -> None:
    cached = cache(10)

    def work(seed: int) -> None:
        for step in range(300):
            at = place(cached, str((seed * step) % 17))
            cached.keep({at: (float(step),)})
            cached.find([at], "text")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert 0 < len(cached) <= 10
