"""A Redis server for all tests of limits; empty before each."""

from collections.abc import Iterator

import pytest

from tests import redis_server


@pytest.fixture(scope="session")
def started_redis() -> Iterator[redis_server.RedisServer]:
    with redis_server.running() as server:
        yield server


@pytest.fixture
def redis(started_redis: redis_server.RedisServer) -> redis_server.RedisServer:
    """Running and empty; a test that kills it starts it again."""
    started_redis.flush()
    return started_redis
