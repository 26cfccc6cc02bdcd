"""Scores that replicas share are read by whoever has the secret, and written by nobody else."""

import struct
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry

from guard.observability.recognition_series import RecognitionSeries
from guard.recognition.digests import Digester
from guard.recognition.shared import SharedMemory
from guard.recognition.shared_scores import SharedScores
from guard.settings import Redis
from tests.redis_server import RedisServer

SECRET = Digester(b"k" * 32, shared=True)


@pytest.fixture
def memory(redis: RedisServer) -> Iterator[SharedMemory]:
    settings = Redis(url=redis.url, timeout_s=5)
    shared = SharedMemory(settings, RecognitionSeries(CollectorRegistry()))
    yield shared
    shared.close()


def found(scores: SharedScores, place: bytes) -> tuple[float, ...] | None:
    """Once it is written, which another thread does; None if something else is there."""
    while not scores._memory.find("score", [place]):
        pass
    return scores.find([place]).get(place)


def test_numbers_come_back_to_the_last_bit(memory: SharedMemory) -> None:
    scores = SharedScores(memory, SECRET, 60)
    scores.keep({b"a": (0.1, 1e-9), b"b": ()})
    assert found(scores, b"a") == (0.1, 1e-9)
    assert found(scores, b"b") == ()
    assert scores.find([b"c"]) == {}


@pytest.mark.parametrize("secret", [b"k" * 32, b"other" * 4])
def test_nobody_without_the_secret_writes_a_score(memory: SharedMemory, secret: bytes) -> None:
    honest = SharedScores(memory, SECRET, 60)
    SharedScores(memory, Digester(secret), 60).keep({b"a": (0.0,)})
    assert found(honest, b"a") == ((0.0,) if secret == SECRET.key else None)


@pytest.mark.parametrize(
    "value", [b"x", b"", struct.pack("<d", 0.0), b"\0" * 8 + struct.pack("<d", 0.0)]
)
def test_a_value_without_its_seal_is_none(memory: SharedMemory, value: bytes) -> None:
    memory.keep("score", {b"a": value or b"\0"}, 60)
    assert found(SharedScores(memory, SECRET, 60), b"a") is None


def test_a_seal_is_of_one_place_only(memory: SharedMemory) -> None:
    scores = SharedScores(memory, SECRET, 60)
    scores.keep({b"harmless": (0.0,)})
    found(scores, b"harmless")
    (value,) = memory.find("score", [b"harmless"]).values()
    memory.keep("score", {b"attack": value}, 60)
    assert found(scores, b"attack") is None


def test_what_is_no_number_is_not_believed(memory: SharedMemory) -> None:
    scores = SharedScores(memory, SECRET, 60)
    scores.keep({b"a": (float("nan"),)})
    assert found(scores, b"a") is None
