"""What replicas know together, in a real Redis, through the server's faults."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from guard.observability.recognition_series import RecognitionSeries
from guard.recognition.shared import MOST_ASKED, MOST_WAITING, SharedMemory
from guard.settings import Redis
from tests.redis_server import RedisServer


@contextmanager
def memory(
    redis: RedisServer, registry: CollectorRegistry | None = None, **more: Any
) -> Iterator[SharedMemory]:
    settings = Redis(url=redis.url, **{"timeout_s": 5, "retry_s": 3600, **more})
    shared = SharedMemory(settings, RecognitionSeries(registry or CollectorRegistry()))
    try:
        yield shared
    finally:
        shared.close()


def told(redis: RedisServer, entries: dict[bytes, bytes], seconds: float = 60) -> None:
    """Written by another process, which has ended."""
    with memory(redis) as other:
        other.keep("answer", entries, seconds)


def test_one_process_knows_what_another_has_kept(redis: RedisServer) -> None:
    told(redis, {b"a": b"1", b"b": b"2"})
    registry = CollectorRegistry()
    with memory(redis, registry) as shared:
        assert shared.find("answer", [b"a", b"c", b"b"]) == {b"a": b"1", b"b": b"2"}
        assert shared.find("score", [b"a"]) == {}
        assert shared.find("answer", []) == {}
    text = generate_latest(registry).decode()
    assert 'ecoguard_shared_memory_total{kind="answer",result="hit"} 2.0' in text
    assert 'ecoguard_shared_memory_total{kind="answer",result="miss"} 1.0' in text


def test_entries_end(redis: RedisServer) -> None:
    told(redis, {b"a": b"1"}, seconds=1)
    with memory(redis) as shared:
        while shared.find("answer", [b"a"]):
            pass
        assert not shared.find("answer", [b"a"])


def test_other_prefixes_are_other_memories(redis: RedisServer) -> None:
    told(redis, {b"a": b"1"})
    with memory(redis, prefix="other") as shared:
        assert shared.find("answer", [b"a"]) == {}


def test_a_question_is_bounded(redis: RedisServer) -> None:
    names = [str(number).encode() for number in range(MOST_ASKED + 9)]
    told(redis, dict.fromkeys(names, b"1"))
    with memory(redis) as shared:
        assert set(shared.find("answer", names)) == set(names[:MOST_ASKED])


def test_what_waits_is_bounded(redis: RedisServer) -> None:
    with redis.hung(), memory(redis, timeout_s=0.05) as shared:
        shared.keep("answer", {str(n).encode(): b"1" for n in range(MOST_WAITING * 2)}, 60)
        assert len(shared._waiting) <= MOST_WAITING


@pytest.mark.parametrize("fault", ["gone", "hung"])
def test_without_redis_everything_goes_on(
    redis: RedisServer, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    told(redis, {b"a": b"1"})
    registry = CollectorRegistry()
    with memory(redis, registry, timeout_s=0.05) as shared:
        if fault == "gone":
            redis.kill()
            assert shared.find("answer", [b"a"]) == {}
            redis.start()
        else:
            with redis.hung():
                assert shared.find("answer", [b"a"]) == {}
        assert shared.find("answer", [b"a"]) == {}  # left alone for `retry_s`
    text = generate_latest(registry).decode()
    assert 'ecoguard_shared_memory_failures_total{operation="read"} 1.0' in text
    assert "each process knows its own texts only" in caplog.text


def test_what_cannot_be_written_is_counted(redis: RedisServer) -> None:
    registry = CollectorRegistry()
    with memory(redis, registry, timeout_s=0.05) as shared, redis.hung():
        shared.keep("answer", {b"a": b"1"}, 60)
        shared.close()
    assert 'failures_total{operation="write"} 1.0' in generate_latest(registry).decode()
