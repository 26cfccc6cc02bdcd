"""Stores to test: a SQLite file, and databases of a real PostgreSQL server."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from guard.settings import Store
from guard.store.traffic_store import TrafficStore
from tests import postgres

StoreMaker = Callable[..., TrafficStore]


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.PostgresServer]:
    """The server; tests that kill it start it again."""
    programs = postgres.binaries()
    if programs is None:
        pytest.skip("no PostgreSQL server is installed")
    with postgres.running(programs) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty store of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/traffic.db"
    server: postgres.PostgresServer = request.getfixturevalue("postgres_server")
    return server.make_database()


@pytest.fixture
def make_store(store_url: str) -> Iterator[StoreMaker]:
    """Makes stores over one database, upgraded; sections of `store` by keyword."""
    made: list[TrafficStore] = []

    def make(*, environment: dict[str, str] | None = None, **sections: Any) -> TrafficStore:
        settings = Store.model_validate({"url": store_url, **sections})
        store = TrafficStore(settings, environment)
        store.upgrade()
        made.append(store)
        return store

    yield make
    for store in made:
        store.close()
